"""Reading a ZIP archive that may come from anybody.

Opening checks the whole directory first (`directory`, `limits`, `names`); reading then holds every member to the size
and CRC-32 it declared. What CRC cannot promise, that these are the bytes that were once packed, is for the caller's
manifest: `digest`, `copy` and `extract` give the SHA-256 to compare.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from framerr.core.errors import Conflict, Corrupt, InvalidInput, LimitExceeded, NotFound
from framerr.core.files import disk_errors, size_in_words
from framerr.core.zips.deflate import ENGINE, Engine, Inflater
from framerr.core.zips.directory import Entry, read_directory
from framerr.core.zips.limits import Limits
from framerr.core.zips.names import shown
from framerr.core.zips.streams import PIECE, write_fully

_PACKED_PIECE = PIECE // 4
_WORTH_A_THREAD = PIECE // 4
_READ = os.O_RDONLY | os.O_CLOEXEC
_FOLDER = _READ | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Proof(NamedTuple):
    """What a member's content was: to compare with what a manifest says."""

    size: int
    sha256: str


class Span(NamedTuple):
    """A stretch of bytes in the archive file."""

    offset: int
    size: int


@contextmanager
def open_archive(path: Path, limits: Limits | None = None, *, engine: Engine = ENGINE) -> Iterator[ZipReader]:
    """The archive at `path`, its directory checked; the default limits hold when none are given.

    Raises InvalidInput, LimitExceeded or Corrupt with what is wrong (see `directory.read_directory`), NotFound when
    there is no file, Unavailable when it cannot be read. Nothing is unpacked or written.
    """
    with ExitStack() as stack:
        with disk_errors(path):
            handle = _open_file(path)
            stack.callback(os.close, handle)
            size = os.fstat(handle).st_size
        pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="unzip-sha256"))
        yield ZipReader(path, handle, size, limits or Limits(), engine, pool)


def _open_file(path: Path) -> int:
    # Without O_NONBLOCK a pipe that lies among the archives would hold the reader until somebody writes to it.
    try:
        handle = os.open(path, _READ | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise NotFound(f"{path.name} is not there any more. Reload the list and choose again.") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InvalidInput(f"{path.name} is not a file. Choose a ZIP archive.")
    return handle


class ZipReader:
    """An open archive whose directory was found good. Made by `open_archive`; safe to use from several threads."""

    def __init__(
        self, path: Path, handle: int, size: int, limits: Limits, engine: Engine, pool: ThreadPoolExecutor
    ) -> None:
        self._path = path
        self._handle = handle
        self._engine = engine
        self._pool = pool
        self._entries = read_directory(self._read_at, size, limits)

    def names(self) -> tuple[str, ...]:
        """The files in the archive, in its order; folders are not named."""
        return tuple(self._entries)

    @property
    def sizes(self) -> Mapping[str, int]:
        """Unpacked size of every file, by name."""
        return {name: entry.size for name, entry in self._entries.items()}

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of `name`, at most 1 MiB at a time.

        Raises NotFound, and Corrupt as soon as the content is longer than declared, or after the last piece when it is
        shorter or its CRC-32 is another: what was handed out until then must be thrown away.
        """
        entry = self._entry(name)
        crc = size = 0
        for piece in self._stored(entry, PIECE) if entry.stored else self._inflated(entry):
            size += len(piece)
            if size > entry.size:
                raise Corrupt(
                    f"{shown(name)} unpacks to more than the {size_in_words(entry.size)} that the archive declares: "
                    "it is damaged or forged. Use another archive."
                )
            crc = self._engine.crc32(piece, crc)
            yield piece
        if size != entry.size or crc != entry.crc:
            raise _damaged(name)

    def read(self, name: str, *, limit: int = 16 * PIECE) -> bytes:
        """All of `name` in memory. Raises LimitExceeded when it is longer than `limit`, and as `pieces` does."""
        entry = self._entry(name)
        if entry.size > limit:
            raise LimitExceeded(
                f"{shown(name)} has {size_in_words(entry.size)}; at most {size_in_words(limit)} are expected there. "
                "Use another archive."
            )
        return b"".join(self.pieces(name))

    def digest(self, name: str, on_bytes: Callable[[int], None] | None = None) -> Proof:
        """Size and SHA-256 of `name`; nothing is kept. Raises as `copy` does."""
        return self._passed_on(name, None, on_bytes)

    def copy(self, name: str, sink: BinaryIO, on_bytes: Callable[[int], None] | None = None) -> Proof:
        """Write `name` to `sink` and say what was written.

        `on_bytes` hears the size of every piece; what it raises ends the copy. Raises as `pieces` does, and what `sink`
        raises. After an error the sink holds a part that must be thrown away.
        """
        return self._passed_on(name, sink, on_bytes)

    def _passed_on(self, name: str, sink: BinaryIO | None, on_bytes: Callable[[int], None] | None) -> Proof:
        digest = hashlib.sha256()
        size = 0
        hashing: Future[None] | None = None
        for piece in self.pieces(name):
            # SHA-256 of a piece runs beside the inflating of the next.
            if hashing is not None:
                hashing.result()
            if len(piece) < _WORTH_A_THREAD:
                digest.update(piece)
            else:
                hashing = self._pool.submit(digest.update, piece)
            size += len(piece)
            if sink is not None:
                write_fully(sink, piece)
            if on_bytes is not None:
                on_bytes(len(piece))
        if hashing is not None:
            hashing.result()
        return Proof(size, digest.hexdigest())

    def extract(self, name: str, folder: Path, on_bytes: Callable[[int], None] | None = None) -> Proof:
        """Unpack `name` below `folder`, which exists: a new file with mode 0600, missing folders with 0700.

        No link is followed and nothing is overwritten: what is there already raises Conflict. A file that fails is
        removed again. Raises as `pieces` does, DiskFull and Unavailable. Nothing is fsynced (`files.fsync_tree`).
        """
        self._entry(name)
        *parents, leaf = name.split("/")
        with disk_errors(folder), ExitStack() as stack:
            parent = _opened_folder(stack, folder, parents)
            try:
                handle = os.open(leaf, _NEW_FILE, 0o600, dir_fd=parent)
            except FileExistsError as error:
                raise Conflict(f"{folder / name} is there already and is not overwritten. Unpack elsewhere.") from error
            try:
                with os.fdopen(handle, "wb") as file:
                    return self.copy(name, file, on_bytes)
            except BaseException:
                os.unlink(leaf, dir_fd=parent)
                raise

    def stored_span(self, name: str) -> Span:
        """Where in the archive file the bytes of `name` lie as they are, to be read there at any position.

        Raises NotFound, and InvalidInput when they are deflated. CRC and size are not checked this way.
        """
        entry = self._entry(name)
        if not entry.stored:
            raise InvalidInput(
                f"{shown(name)} is compressed inside the archive and cannot be read in place. Unpack it."
            )
        return Span(entry.data_offset, entry.size)

    def _entry(self, name: str) -> Entry:
        entry = self._entries.get(name)
        if entry is None:
            raise NotFound(f"The archive has no file {shown(name)}. Use a complete archive.")
        return entry

    def _stored(self, entry: Entry, piece: int) -> Iterator[bytes]:
        """The bytes of a member as they lie in the file."""
        for done in range(0, entry.packed_size, piece):
            yield self._read_at(entry.data_offset + done, min(piece, entry.packed_size - done))

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        """Unpacked pieces, each of at most PIECE bytes however well it was packed; the stream must fill its place."""
        stream = self._engine.inflater()
        for packed in self._stored(entry, _PACKED_PIECE):
            if stream.eof:
                raise _damaged(entry.name)
            try:
                yield from _unpacked(stream, packed)
            except self._engine.error as error:
                raise _damaged(entry.name) from error
        if not stream.eof or stream.unused_data:
            raise _damaged(entry.name)

    def _read_at(self, offset: int, count: int) -> bytes:
        with disk_errors(self._path):
            data = os.pread(self._handle, count, offset)
            while len(data) < count and (more := os.pread(self._handle, count - len(data), offset + len(data))):
                data += more
        if len(data) < count:
            raise Corrupt("The archive ends in the middle of a file: it was cut off. Copy or upload it again.")
        return data


def _unpacked(stream: Inflater, packed: bytes) -> Iterator[bytes]:
    """All that `packed` adds to the stream, which may also hold back output although it took all input."""
    while not stream.eof:
        piece = stream.decompress(packed, PIECE)
        packed = stream.unconsumed_tail
        if piece:
            yield piece
        elif not packed:
            return


def _damaged(name: str) -> Corrupt:
    return Corrupt(
        f"{shown(name)} is damaged inside the archive. Copy or upload the archive again, or use another one."
    )


def _opened_folder(stack: ExitStack, folder: Path, parents: list[str]) -> int:
    """A handle on the folder `parents` below `folder`, each step a real folder, made when missing."""
    handle = os.open(folder, _FOLDER)
    stack.callback(os.close, handle)
    for part in parents:
        with suppress(FileExistsError):
            os.mkdir(part, 0o700, dir_fd=handle)
        handle = os.open(part, _FOLDER, dir_fd=handle)
        stack.callback(os.close, handle)
    return handle
