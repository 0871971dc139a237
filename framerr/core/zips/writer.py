"""Writing a ZIP archive that is whole or is none.

The archive becomes readable with the last bytes that `with ZipWriter(...)` writes when its block ends well. When the
block raises, or anything inside it raised before, those bytes are never written (T01, T02): a failed backup cannot look
like one.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import PurePosixPath
from types import TracebackType
from typing import BinaryIO, Literal, Self

from framerr.core.errors import Conflict
from framerr.core.files import size_in_words
from framerr.core.zips.deflate import ENGINE, FINAL_BLOCK, WINDOW, Engine
from framerr.core.zips.names import NameBook
from framerr.core.zips.records import (
    DEFLATED,
    STORED,
    STREAMED,
    UTF8,
    Record,
    dos_stamp,
    pack_central,
    pack_end,
    pack_local,
    pack_streamed,
)
from framerr.core.zips.streams import PIECE, read_fully, write_fully

_COMPRESSED = re.compile(
    r"\.(7z|age|avif|br|bz2|docx|epub|flac|gif|gz|hei[cf]|jpe?g|jxl|lz4|m4[av]|mkv|mov|mp[34]|odt|og[agv]|opus|png|pptx|rar"
    r"|tgz|web[mp]|woff2?|xlsx|xz|zip|zst)",
    re.IGNORECASE,
)

THREADS = 2
_DIRECTORY_BATCH = 4096
_WIDE_FROM = 0xF0000000


@dataclass(frozen=True, slots=True)
class Member:
    """A file that was written into an archive, with the proof of its content."""

    name: str
    size: int
    sha256: str
    packed_size: int


class _Content:
    """The pieces of one source, counted and proven on the way.

    Raises Conflict as soon as it gives more than `expected`, and in `check` when it gave less.
    """

    def __init__(
        self, source: BinaryIO, engine: Engine, expected: int | None, on_bytes: Callable[[int], None] | None
    ) -> None:
        self.crc = 0
        self.size = 0
        self._digest = hashlib.sha256()
        self._source = source
        self._engine = engine
        self._expected = expected
        self._on_bytes = on_bytes

    def __iter__(self) -> Iterator[bytes]:
        while piece := read_fully(self._source, PIECE):
            self.size += len(piece)
            if self._expected is not None and self.size > self._expected:
                self.check()
            self.crc = self._engine.crc32(piece, self.crc)
            self._digest.update(piece)
            if self._on_bytes is not None:
                self._on_bytes(len(piece))
            yield piece

    def check(self) -> None:
        if self._expected is not None and self.size != self._expected:
            raise Conflict(
                f"A file had {size_in_words(self._expected)} and gave {size_in_words(self.size)} while it was read: "
                "it was changed meanwhile, or its disk does not answer in full. Try again."
            )

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class ZipWriter:
    """Writes members one after the other into `sink`, a binary file or pipe that the caller opened and closes.

    Every member carries `now` as its time, mode 0600 and a UTF-8 name. Large ones are deflated in 1 MiB blocks by
    `threads` threads; memory does not grow with their size. A seekable sink gets plain headers; into a pipe, members
    of more than 1 MiB have their sizes behind the data, which every tool that starts at the directory reads. ZIP64 is
    used where it is needed (T41).

    Not done: nothing is fsynced, renamed or removed, and of a failed archive only a seekable sink is emptied.
    """

    def __init__(self, sink: BinaryIO, *, now: datetime, engine: Engine = ENGINE, threads: int = THREADS) -> None:
        self._sink = sink
        self._seekable = sink.seekable()
        self._start = sink.tell() if self._seekable else 0
        self._stamp = dos_stamp(now)
        self._engine = engine
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="deflate")
        self._names = NameBook()
        self._records: list[Record] = []
        self._members: list[Member] = []
        self._position = 0
        self._state: Literal["new", "open", "broken", "finished"] = "new"

    def __enter__(self) -> Self:
        self._state = "open"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the archive, or give it up; raises Conflict when a member failed and the block went on regardless."""
        self._pool.shutdown(cancel_futures=True)
        try:
            if kind is None:
                self._finish()
        finally:
            if self._state != "finished":
                self._give_up()

    @property
    def members(self) -> tuple[Member, ...]:
        """What was written so far, in order."""
        return tuple(self._members)

    @property
    def size(self) -> int:
        """Bytes of archive written so far."""
        return self._position

    def add(
        self,
        name: str,
        source: BinaryIO,
        *,
        size: int | None = None,
        store: bool | None = None,
        on_bytes: Callable[[int], None] | None = None,
    ) -> Member:
        """Write all that `source` still gives as member `name`.

        `size`, when known, is what it must give: more or less raises Conflict. `store` writes it undeflated; left out,
        the ending of the name decides. `on_bytes` hears how many bytes were read; what it raises ends the archive.
        Raises InvalidInput for a name that a reader would refuse, and what `source` and the sink raise (OSError).
        """
        with self._whole_or_broken():
            self._names.admit(name)
            plain = is_compressed(name) if store is None else store
            record = Record(
                raw_name=name.encode(),
                name=name,
                flags=UTF8,
                method=STORED if plain else DEFLATED,
                stamp=self._stamp,
                crc=0,
                packed_size=0,
                size=0,
                offset=self._position,
            )
            content = _Content(source, self._engine, size, on_bytes)
            pieces = iter(content)
            first = next(pieces, b"")
            if len(first) < PIECE:
                record = self._write_small(record, first, content)
            else:
                wide = size is None or size >= _WIDE_FROM
                record = self._write_large(record, chain([first], pieces), content, wide=wide)
            content.check()
            member = Member(name, content.size, content.sha256, record.packed_size)
            self._records.append(record)
            self._members.append(member)
            return member

    def add_bytes(self, name: str, data: bytes, *, store: bool | None = None) -> Member:
        """Write `data` as member `name`. Raises as `add` does."""
        return self.add(name, io.BytesIO(data), size=len(data), store=store)

    @contextmanager
    def _whole_or_broken(self) -> Iterator[None]:
        """Only a member that was written to its end lets the archive go on: one that raises leaves it broken."""
        self._check_open()
        self._state = "broken"
        yield
        self._state = "open"

    def _check_open(self) -> None:
        if self._state != "open":
            raise Conflict(f"This archive is {self._state}; nothing more is written to it. Start again with a new one.")

    def _write_small(self, record: Record, data: bytes, content: _Content) -> Record:
        """A member that is in memory is written at once, under its final header, deflated only if that saves a byte."""
        packed = data
        if record.method == DEFLATED:
            packed = self._engine.deflate(data) + FINAL_BLOCK
            if len(packed) >= len(data):
                packed, record = data, replace(record, method=STORED)
        record = replace(record, crc=content.crc, size=len(data), packed_size=len(packed))
        self._write(pack_local(record, wide=False) + packed)
        return record

    def _write_large(self, record: Record, pieces: Iterable[bytes], content: _Content, *, wide: bool) -> Record:
        """A member that streams gets its header first and the truth about it later: there, or behind the data."""
        if not self._seekable:
            record = replace(record, flags=record.flags | STREAMED)
        self._write(pack_local(record, wide=wide))
        begin = self._position
        for packed in pieces if record.method == STORED else self._deflated(pieces):
            self._write(packed)
        record = replace(record, crc=content.crc, size=content.size, packed_size=self._position - begin)
        if self._seekable:
            self._sink.seek(self._start + record.offset)
            write_fully(self._sink, pack_local(record, wide=wide))
            self._sink.seek(self._start + self._position)
        else:
            self._write(pack_streamed(record, wide=wide))
        return record

    def _deflated(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """One deflate stream from blocks that are packed at the same time: each knows the end of the one before."""
        waiting: deque[Future[bytes]] = deque()
        before = b""
        for piece in pieces:
            waiting.append(self._pool.submit(self._engine.deflate, piece, before))
            before = piece[-WINDOW:]
            if len(waiting) > self._threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        yield FINAL_BLOCK

    def _finish(self) -> None:
        self._check_open()
        self._state = "broken"
        begin = self._position
        for first in range(0, len(self._records), _DIRECTORY_BATCH):
            self._write(b"".join(map(pack_central, self._records[first : first + _DIRECTORY_BATCH])))
        self._write(pack_end(len(self._records), self._position - begin, begin))
        self._sink.flush()
        self._state = "finished"

    def _give_up(self) -> None:
        """Leave nothing that could pass for an archive: a stored ZIP inside would bring a directory of its own.

        The reason of the failure is on its way already, so a sink that cannot be emptied either is left as it is.
        """
        self._state = "broken"
        if self._seekable:
            with suppress(OSError, ValueError):
                self._sink.seek(self._start)
                self._sink.truncate()

    def _write(self, data: bytes) -> None:
        write_fully(self._sink, data)
        self._position += len(data)


def is_compressed(name: str) -> bool:
    """Whether files with this ending are packed already: deflating them costs time and saves nothing."""
    return _COMPRESSED.fullmatch(PurePosixPath(name).suffix) is not None
