"""Reading the list of an archive, and refusing it in words before anything is unpacked.

Every byte has one meaning here: the end record ends the file, the directory fills its place exactly, each member's own
header repeats what the directory says, and no two members share bytes. Lenient readers differ in what they make of an
archive that breaks these rules; this one refuses it (T07, T08, T25).
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from framerr.core.errors import Corrupt, InvalidInput
from framerr.core.zips.limits import Limits
from framerr.core.zips.names import NameBook, shown
from framerr.core.zips.records import (
    DEFLATED,
    ENCRYPTED,
    END_MARK,
    END_SIZE,
    LOCAL_MARK,
    LOCAL_SIZE,
    LOCATOR_SIZE,
    NARROW,
    PATCHED,
    STORED,
    STREAMED,
    UTF8,
    WIDE_END_SIZE,
    End,
    Record,
    unpack_directory,
    unpack_end,
    unpack_local,
    unpack_locator,
    unpack_wide_end,
)

_LONGEST_COMMENT = 0xFFFF
_AGAIN = "Copy or upload it again, or use another archive."

ReadAt = Callable[[int, int], bytes]
"""Gives so many bytes from an offset of the archive on; raises Corrupt when it ends before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive whose directory was found good: where its bytes lie and what they must amount to."""

    name: str
    size: int
    packed_size: int
    crc: int
    stored: bool
    data_offset: int


def read_directory(read_at: ReadAt, file_size: int, limits: Limits) -> Mapping[str, Entry]:
    """The files of an archive by name, in the order of its directory; folders are checked and left out.

    Raises InvalidInput for what is no archive this product takes (not a ZIP, encrypted, unknown method, links, unsafe or
    double names), LimitExceeded for one that asks too much, Corrupt for one that is cut or damaged.
    """
    end, directory_end = _find_end(read_at, file_size)
    limits.check_directory(end.members, end.size)
    if end.offset + end.size != directory_end:
        raise Corrupt(f"The parts of the archive are not where it says: bytes are missing or too many. {_AGAIN}")
    records = list(unpack_directory(read_at(end.offset, end.size)))
    if len(records) != end.members:
        raise Corrupt(f"The archive says it has {end.members} files and lists {len(records)}: it is damaged. {_AGAIN}")
    names = NameBook()
    for record in records:
        names.admit(record.name)
        _check_kind(record)
    limits.check(records)
    located = {entry.name: entry for entry in _located(read_at, records, end.offset)}
    return {record.name: located[record.name] for record in records if not record.name.endswith("/")}


def _find_end(read_at: ReadAt, file_size: int) -> tuple[End, int]:
    """The end record, and the offset at which the directory must end."""
    if file_size < END_SIZE or read_at(0, 4) not in {LOCAL_MARK, END_MARK}:
        raise InvalidInput("This file is not a ZIP archive. Choose the .zip file that was made as a backup.")
    first = max(0, file_size - END_SIZE - _LONGEST_COMMENT)
    tail = read_at(first, file_size - first)
    at = tail.rfind(END_MARK)
    while at >= 0:
        comment = int.from_bytes(tail[at + END_SIZE - 2 : at + END_SIZE], "little")
        if at + END_SIZE + comment == len(tail):
            return _widest_end(read_at, first + at, unpack_end(tail[at : at + END_SIZE]))
        at = tail.rfind(END_MARK, 0, at)
    raise Corrupt(f"The archive is cut off or damaged at its end, where its list of files belongs. {_AGAIN}")


def _widest_end(read_at: ReadAt, end_offset: int, narrow: End) -> tuple[End, int]:
    """The ZIP64 end record in place of `narrow`, when the archive has one."""
    locator_offset = end_offset - LOCATOR_SIZE
    wide_offset = unpack_locator(read_at(locator_offset, LOCATOR_SIZE)) if locator_offset >= 0 else None
    if wide_offset is None:
        return narrow, end_offset
    if wide_offset + WIDE_END_SIZE > locator_offset:
        raise Corrupt(f"The end of the archive contradicts itself: it is damaged. {_AGAIN}")
    end, length = unpack_wide_end(read_at(wide_offset, WIDE_END_SIZE), narrow)
    if wide_offset + length != locator_offset:
        raise Corrupt(f"The end of the archive contradicts itself: it is damaged. {_AGAIN}")
    return end, wide_offset


def _check_kind(record: Record) -> None:
    name = shown(record.name)
    if record.flags & ENCRYPTED:
        _refuse(f"{name} is encrypted with a ZIP password", "Unpack it where it was made and pack it without one")
    if record.flags & PATCHED or record.method not in {STORED, DEFLATED}:
        _refuse(
            f"{name} is packed in a way (method {record.method}) that is not read here", "Pack it as an ordinary ZIP"
        )
    if record.method == STORED and record.size != record.packed_size:
        raise Corrupt(f"{name} has two different sizes in the archive's list: it is damaged. {_AGAIN}")
    is_folder = record.name.endswith("/")
    if is_folder and record.size:
        _refuse(f"{name} is a folder with content of its own", "Use another archive")
    kind = stat.S_IFMT(record.attributes >> 16)
    if kind == stat.S_IFLNK:
        _refuse(f"{name} is a link to another place, not a file", "Pack the file itself")
    if kind not in {0, stat.S_IFDIR if is_folder else stat.S_IFREG}:
        _refuse(f"{name} is a device, a pipe or another special file", "Pack the archive without it")


def _refuse(what: str, step: str) -> NoReturn:
    raise InvalidInput(f"{what}. {step}.")


def _located(read_at: ReadAt, records: Iterable[Record], directory_offset: int) -> Iterable[Entry]:
    """Each member with the place of its data, which belongs to it alone."""
    free_from = 0
    for record in sorted(records, key=lambda record: record.offset):
        header_size = LOCAL_SIZE + len(record.raw_name)
        if record.offset < free_from or record.offset + header_size > directory_offset:
            _overlapping(record)
        local, length = unpack_local(read_at(record.offset, header_size))
        _check_same(record, local)
        data_offset = record.offset + length
        free_from = data_offset + record.packed_size
        if free_from > directory_offset:
            _overlapping(record)
        yield Entry(record.name, record.size, record.packed_size, record.crc, record.method == STORED, data_offset)


def _overlapping(record: Record) -> NoReturn:
    raise Corrupt(
        f"{shown(record.name)} shares bytes with another part of the archive: it is damaged or forged. {_AGAIN}"
    )


def _check_same(record: Record, local: Record) -> None:
    """Raises Corrupt when a member's own header says something else than the directory."""
    same = local.raw_name == record.raw_name and local.method == record.method
    same &= (local.flags ^ record.flags) & (ENCRYPTED | UTF8) == 0
    if not local.flags & STREAMED:
        same &= local.crc == record.crc
        same &= local.size in {record.size, NARROW} and local.packed_size in {record.packed_size, NARROW}
    if not same:
        raise Corrupt(
            f"{shown(record.name)} is described in two ways that differ, in the archive's list and in front of its data: "
            f"it is damaged or forged. {_AGAIN}"
        )
