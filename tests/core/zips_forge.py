"""Content to pack, and archives nobody should make: put together field by field, without the product's own records."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

UNIX = 3 << 8


@dataclass(frozen=True)
class Forged:
    """One member; whatever is left out is what an honest tool would write."""

    name: bytes
    data: bytes = b"content"
    method: int = 0
    flags: int = 0
    mode: int = 0o100644
    made_by: int = UNIX
    needed: int = 20
    size: int | None = None
    crc: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    local_name: bytes | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_crc: int | None = None
    local_size: int | None = None
    offset: int | None = None
    extra: bytes = b""

    @property
    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == 8 else self.data

    def fields(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed = len(self.body) if self.packed_size is None else self.packed_size
        return crc, packed, len(self.data) if self.size is None else self.size

    def local(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        crc, packed, size = self.fields()
        return (
            struct.pack(
                "<IHHHHHIIIHH",
                0x04034B50,
                20,
                self.flags if self.local_flags is None else self.local_flags,
                self.method if self.local_method is None else self.local_method,
                0,
                33,
                crc if self.local_crc is None else self.local_crc,
                packed,
                size if self.local_size is None else self.local_size,
                len(name),
                0,
            )
            + name
        )

    def central(self, offset: int) -> bytes:
        crc, packed, size = self.fields()
        where = offset if self.offset is None else self.offset
        ours = (self.made_by | 20, self.needed, self.flags, self.method, 0, 33, crc, packed, size, len(self.name))
        return (
            struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, *ours, len(self.extra), 0, 0, 0, self.mode << 16, where)
            + self.name
            + self.extra
        )


def forge(
    *members: Forged, count: int | None = None, comment: bytes = b"", disk: int = 0, before: bytes = b""
) -> bytes:
    """An archive of `members`; `before` shifts everything without the offsets knowing."""
    body = bytearray()
    directory = bytearray()
    for member in members:
        directory += member.central(len(body))
        body += member.local() + member.body
    few = len(members) if count is None else count
    end = struct.pack("<IHHHHIIH", 0x06054B50, disk, disk, few, few, len(directory), len(body), len(comment))
    return before + bytes(body + directory) + end + comment


def deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def text(size: int, seed: int = 1) -> bytes:
    """Words as in a database: they deflate to about a third."""
    chance = random.Random(seed)
    words = [chance.randbytes(chance.randint(1, 6)).hex() for _ in range(500)]
    line = b"".join(f"{chance.choice(words)} ".encode() for _ in range(20_000))
    return (line * (size // len(line) + 1))[:size]


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def assert_info_zip_reads(path: Path) -> None:
    """Where `unzip` is installed (scripts/test installs it), it must find no fault either."""
    unzip = shutil.which("unzip")
    if unzip is not None:
        tested = subprocess.run([unzip, "-tqq", path], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stdout + tested.stderr
