"""Reading and writing whole pieces through objects that may give or take less than asked (pipes, raw files)."""

from __future__ import annotations

from typing import BinaryIO

PIECE = 1 << 20
"""Bytes are copied in pieces of this size: large enough to be fast, small enough to keep memory flat."""


def read_fully(source: BinaryIO, count: int) -> bytes:
    """The next `count` bytes; fewer only at the end of `source`. Raises what `source` raises."""
    first = source.read(count)
    if len(first) == count or not first:
        return first
    pieces = [first]
    missing = count - len(first)
    while missing and (piece := source.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def write_fully(sink: BinaryIO, data: bytes) -> None:
    """Write all of `data`, also to a raw file that takes only a part at a time. Raises what `sink` raises."""
    rest = memoryview(data)
    while rest:
        taken: int | None = sink.write(rest)
        if taken is None:
            raise BlockingIOError("A sink must take data and say how much; open it in blocking mode.")
        rest = rest[taken:]
