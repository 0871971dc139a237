"""The records of a ZIP archive as bytes: what the writer packs and the directory reader unpacks.

Field order and meaning follow PKWARE's APPNOTE 6.3.10 (4.3.7 to 4.3.16, 4.5.3). No file is touched here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from framerr.core.errors import Corrupt, InvalidInput

STORED = 0
DEFLATED = 8

ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # traditional, strong, masked headers
PATCHED = 0x0020
STREAMED = 0x0008  # sizes and CRC follow the data
UTF8 = 0x0800

NARROW = 0xFFFFFFFF
"""The largest 32-bit field; in the file it means: the real value is in the ZIP64 field."""

_FEW = 0xFFFF

_LOCAL = struct.Struct("<4sHHHIIIIHH")
_CENTRAL = struct.Struct("<4sHHHHIIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_WIDE_END = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")

LOCAL_SIZE = _LOCAL.size
END_SIZE = _END.size
WIDE_END_SIZE = _WIDE_END.size
LOCATOR_SIZE = _LOCATOR.size

LOCAL_MARK = b"PK\x03\x04"
END_MARK = b"PK\x05\x06"
_CENTRAL_MARK = b"PK\x01\x02"
_STREAMED_MARK = b"PK\x07\x08"
_WIDE_END_MARK = b"PK\x06\x06"
_LOCATOR_MARK = b"PK\x06\x07"

_WIDE_ID = 1
_NEEDS_DEFLATE = 20
_NEEDS_WIDE = 45
_NEWEST = 63  # the version of ZIP that APPNOTE 6.3 ends with; other readers refuse a higher one
_MADE_ON_UNIX = 3 << 8 | _NEEDS_WIDE
_PRIVATE_FILE = 0o100600 << 16


@dataclass(frozen=True, slots=True)
class Record:
    """What the directory says about one member."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    stamp: int
    crc: int
    packed_size: int
    size: int
    offset: int
    attributes: int = _PRIVATE_FILE


def dos_stamp(moment: datetime) -> int:
    """`moment` in UTC as ZIP's two-second clock, which runs from 1980 to 2107."""
    at = moment.astimezone(UTC)
    if at.year < 1980:
        return 1 << 21 | 1 << 16
    day = min(at.year - 1980, 127) << 9 | at.month << 5 | at.day
    return day << 16 | at.hour << 11 | at.minute << 5 | at.second // 2


# --- writing ----------------------------------------------------------------------------------------------------------


def pack_local(record: Record, *, wide: bool) -> bytes:
    """The header in front of a member's data; of one length whatever the values are, so it can be written again.

    `wide` reserves the ZIP64 field, without which neither size may reach NARROW.
    """
    extra = struct.pack("<HHQQ", _WIDE_ID, 16, record.size, record.packed_size) if wide else b""
    return (
        _LOCAL.pack(
            LOCAL_MARK,
            _NEEDS_WIDE if wide else _NEEDS_DEFLATE,
            record.flags,
            record.method,
            record.stamp,
            record.crc,
            NARROW if wide else record.packed_size,
            NARROW if wide else record.size,
            len(record.raw_name),
            len(extra),
        )
        + record.raw_name
        + extra
    )


def pack_streamed(record: Record, *, wide: bool) -> bytes:
    """What follows the data of a member whose header was written before its sizes were known."""
    sizes = "<4sIQQ" if wide else "<4sIII"
    return struct.pack(sizes, _STREAMED_MARK, record.crc, record.packed_size, record.size)


def pack_central(record: Record) -> bytes:
    """A member's entry in the directory, with a ZIP64 field for exactly those values that need one."""
    values = (record.size, record.packed_size, record.offset)
    wide = [value for value in values if value >= NARROW]
    extra = struct.pack(f"<HH{len(wide)}Q", _WIDE_ID, 8 * len(wide), *wide) if wide else b""
    size, packed_size, offset = (min(value, NARROW) for value in values)
    return (
        _CENTRAL.pack(
            _CENTRAL_MARK,
            _MADE_ON_UNIX,
            _NEEDS_WIDE if wide else _NEEDS_DEFLATE,
            record.flags,
            record.method,
            record.stamp,
            record.crc,
            packed_size,
            size,
            len(record.raw_name),
            len(extra),
            0,  # comment
            0,  # disk
            0,  # internal attributes
            record.attributes,
            offset,
        )
        + record.raw_name
        + extra
    )


def pack_end(members: int, size: int, offset: int) -> bytes:
    """The end of an archive whose directory has `members` entries and `size` bytes from `offset` on."""
    ends = _END.pack(END_MARK, 0, 0, min(members, _FEW), min(members, _FEW), min(size, NARROW), min(offset, NARROW), 0)
    if members < _FEW and size < NARROW and offset < NARROW:
        return ends
    after_mark_and_length = WIDE_END_SIZE - 12
    versions = (_MADE_ON_UNIX, _NEEDS_WIDE)
    wide = _WIDE_END.pack(_WIDE_END_MARK, after_mark_and_length, *versions, 0, 0, members, members, size, offset)
    return wide + _LOCATOR.pack(_LOCATOR_MARK, 0, offset + size, 1) + ends


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class End:
    """Where the directory lies, and how many members it lists."""

    members: int
    size: int
    offset: int


def unpack_end(data: bytes) -> End:
    """The end record, without regard to the comment after it. Raises InvalidInput for a part of a split archive."""
    _, disk, first_disk, here, members, size, offset, _ = _END.unpack(data)
    if not (disk == first_disk == 0 or disk == first_disk == _FEW) or here != members:
        raise InvalidInput("This is one part of a split ZIP archive. Join the parts into one archive and use that.")
    return End(members, size, offset)


def unpack_locator(data: bytes) -> int | None:
    """Where the ZIP64 end record lies; None when `data` is no locator, so that the archive has none."""
    if len(data) != LOCATOR_SIZE or not data.startswith(_LOCATOR_MARK):
        return None
    _, _, offset, _ = _LOCATOR.unpack(data)
    return int(offset)


def unpack_wide_end(data: bytes, narrow: End) -> tuple[End, int]:
    """The ZIP64 end record and its length; it must repeat what `narrow` has room for. Raises Corrupt."""
    mark, length, _, _, _, _, here, members, size, offset = _WIDE_END.unpack(data)
    pairs = ((narrow.members, members, _FEW), (narrow.size, size, NARROW), (narrow.offset, offset, NARROW))
    if mark != _WIDE_END_MARK or here != members or any(few not in {many, full} for few, many, full in pairs):
        raise Corrupt("The end of the archive contradicts itself: it is damaged. Copy or upload it again.")
    return End(members, size, offset), length + 12


def unpack_directory(data: bytes) -> Iterator[Record]:
    """The entries of the directory, which must fill `data` exactly. Raises Corrupt at the first that does not parse."""
    position = 0
    try:
        while position < len(data):
            record, position = _unpack_central(data, position)
            yield record
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise Corrupt(
            "The archive's list of files is damaged. Copy or upload the archive again, or use another one."
        ) from error


def _unpack_central(data: bytes, position: int) -> tuple[Record, int]:
    (
        mark,
        _,
        needed,
        flags,
        method,
        stamp,
        crc,
        packed,
        size,
        name_len,
        extra_len,
        comment_len,
        disk,
        _,
        attributes,
        offset,
    ) = _CENTRAL.unpack_from(data, position)
    named = position + _CENTRAL.size
    extended = named + name_len
    commented = extended + extra_len
    after = commented + comment_len
    if mark != _CENTRAL_MARK or after > len(data) or disk not in {0, _FEW} or needed & 0xFF > _NEWEST:
        raise ValueError("not a directory entry")
    raw_name = data[named:extended]
    values = (size, packed, offset)
    if NARROW in values:
        values = _widened(values, data[extended:commented])
    return Record(
        raw_name, _decoded(raw_name, flags), flags, method, stamp, crc, values[1], values[0], values[2], attributes
    ), after


def _widened(values: tuple[int, int, int], extra: bytes) -> tuple[int, int, int]:
    """`values` with those that are full replaced, in order, from the ZIP64 field, if there is one."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _WIDE_ID:
            wide = iter(struct.unpack_from(f"<{values.count(NARROW)}Q", field))
            size, packed, offset = (next(wide) if value == NARROW else value for value in values)
            return size, packed, offset
    return values


def _decoded(raw_name: bytes, flags: int) -> str:
    """A name is UTF-8 when it says so; else what it can be, as macOS writes UTF-8 and DOS code page 437 without a word."""
    if flags & UTF8:
        return raw_name.decode()
    try:
        return raw_name.decode()
    except UnicodeDecodeError:
        return raw_name.decode("cp437")


def unpack_local(data: bytes) -> tuple[Record, int]:
    """The header in front of a member's data, of which `data` holds the fixed part and the name, and its whole length.

    Sizes are as they stand: NARROW where they are in the ZIP64 field. Raises Corrupt.
    """
    try:
        mark, _, flags, method, stamp, crc, packed, size, name_len, extra_len = _LOCAL.unpack_from(data)
        raw_name = data[LOCAL_SIZE : LOCAL_SIZE + name_len]
        if mark != LOCAL_MARK or len(raw_name) != name_len:
            raise ValueError("not this member's header")
        record = Record(raw_name, _decoded(raw_name, flags), flags, method, stamp, crc, packed, size, 0)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise Corrupt("A file in the archive does not start where the list says. Copy or upload it again.") from error
    return record, LOCAL_SIZE + name_len + extra_len
