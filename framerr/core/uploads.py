"""Large files that arrive in pieces, kept on disk until they are whole (the storage behind tus 1.0).

An upload is two files in `incoming/uploads/`: `<uid>.part` with the bytes, whose size is the offset, and `<uid>.json` with
what was announced. Both survive a restart; nothing else remembers an upload, so there is nothing that could disagree.
Promise: a piece that breaks off keeps what arrived; a piece for another offset changes nothing.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec

from framerr.core.db import new_uid
from framerr.core.errors import Conflict, DiskFull, InvalidInput, LimitExceeded, NotFound
from framerr.core.files import CHUNK, atomic_write, disk_errors, free_bytes, size_in_words
from framerr.core.paths import Paths

KEPT_FOR = timedelta(hours=24)
HEADROOM = 200_000_000
_UID = re.compile(r"[A-Za-z0-9_-]{16}")


class _Announced(msgspec.Struct):
    length: int
    name: str
    owner: str
    created_at: datetime


@dataclass(frozen=True)
class Upload:
    """`length` and `offset` are bytes; `name` is what the browser called the file, never a path; `owner` may touch it."""

    uid: str
    name: str
    owner: str
    length: int
    offset: int
    created_at: datetime

    @property
    def is_whole(self) -> bool:
        return self.offset == self.length

    @property
    def expires_at(self) -> datetime:
        return self.created_at + KEPT_FOR


def create(paths: Paths, *, length: int, name: str, owner: str, limit: int, now: datetime) -> Upload:
    """Announce an upload of `length` bytes.

    Raises InvalidInput for a length below one, LimitExceeded above `limit`, DiskFull when that much would not fit
    beside what unpacking needs to breathe, Unavailable when the folder cannot be written.
    """
    if length < 1:
        raise InvalidInput("The file is empty. Choose a backup ZIP.")
    if length > limit:
        raise LimitExceeded(
            f"The file has {size_in_words(length)}; at most {size_in_words(limit)} are accepted. "
            "Set FRAMERR_ARCHIVE_LIMIT_GB to raise that."
        )
    _require_room(paths.uploads, length)
    uid = new_uid()
    announced = _Announced(length=length, name=_plain_name(name), owner=owner, created_at=now)
    with disk_errors(paths.uploads):
        os.close(os.open(_part(paths, uid), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        atomic_write(_info(paths, uid), msgspec.json.encode(announced))
    return _upload(uid, announced, 0)


def load(paths: Paths, uid: str, *, owner: str, now: datetime) -> Upload:
    """What is known of an upload. Raises NotFound when there is none, it expired, or it is somebody else's."""
    found = _read(paths, uid)
    if found is None or found.owner != owner or found.expires_at <= now:
        raise NotFound("This upload is no longer here. Start it again.")
    return found


def append(paths: Paths, upload: Upload, offset: int, source: IO[bytes], *, size: int) -> Upload:
    """Write the next piece of `size` bytes at `offset`; what arrived is durable when this returns or raises.

    Raises Conflict when `offset` is not where the file ends or another piece is being written, InvalidInput when the
    piece is longer than announced or ends early, DiskFull or Unavailable; the offset then tells what was kept.
    """
    with disk_errors(_part(paths, upload.uid)), _only_writer(_part(paths, upload.uid)) as part:
        end = os.fstat(part).st_size
        if offset != end:
            raise Conflict(f"The upload continues at byte {end}, not at {offset}.")
        if end + size > upload.length:
            raise InvalidInput("The piece is longer than the file that was announced.")
        try:
            written = _copied(part, source, end, size)
        finally:
            os.fsync(part)
    if written < size:
        raise InvalidInput("The piece broke off. Continue at the offset that is kept.")
    return _upload(upload.uid, _announced(upload), end + written)


def path_of(paths: Paths, upload: Upload) -> Path:
    """The file of a whole upload. Raises Conflict while pieces are missing."""
    if not upload.is_whole:
        raise Conflict("The upload is not complete yet.")
    return _part(paths, upload.uid)


def remove(paths: Paths, uid: str) -> None:
    """Forget an upload and its bytes; one that is not there is fine."""
    if _UID.fullmatch(uid):
        with disk_errors(paths.uploads):
            _info(paths, uid).unlink(missing_ok=True)
            _part(paths, uid).unlink(missing_ok=True)


def listing(paths: Paths, *, owner: str, now: datetime) -> list[Upload]:
    """Every upload of `owner` that has not expired, oldest first."""
    found = [_read(paths, file.stem) for file in paths.uploads.glob("*.json")]
    kept = [upload for upload in found if upload and upload.owner == owner and upload.expires_at > now]
    return sorted(kept, key=lambda upload: upload.created_at)


def sweep(paths: Paths, now: datetime) -> int:
    """Remove what expired and what nobody announced; how many files went. A file in use is younger than that."""
    with disk_errors(paths.uploads):
        files = list(paths.uploads.iterdir())
        known = {file.stem: _read(paths, file.stem) for file in files}
        gone = [file for file in files if _is_over(file, known[file.stem], now)]
        for file in gone:
            file.unlink(missing_ok=True)
    return len(gone)


def _is_over(file: Path, upload: Upload | None, now: datetime) -> bool:
    if upload is not None:
        return upload.expires_at <= now
    return now.timestamp() - file.stat().st_mtime > KEPT_FOR.total_seconds()


def _require_room(folder: Path, length: int) -> None:
    free = free_bytes(folder)
    if free is not None and length + HEADROOM > free:
        raise DiskFull(
            f"The file has {size_in_words(length)}, but only {size_in_words(free)} are free in {folder}. "
            "Free some space, or copy the file into the backups folder by hand.",
            path=folder,
            needed=length + HEADROOM,
            free=free,
        )


def _copied(part: int, source: IO[bytes], position: int, size: int) -> int:
    written = 0
    while written < size and (chunk := source.read(min(CHUNK, size - written))):
        view = memoryview(chunk)
        while view:
            count = os.pwrite(part, view, position + written)
            view = view[count:]
            written += count
    return written


@contextmanager
def _only_writer(part: Path) -> Iterator[int]:
    handle = os.open(part, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another piece of this file is being received. Try again in a moment.") from None
        yield handle
    finally:
        os.close(handle)


def _read(paths: Paths, uid: str) -> Upload | None:
    if not _UID.fullmatch(uid):
        return None
    try:
        announced = msgspec.json.decode(_info(paths, uid).read_bytes(), type=_Announced)
        return _upload(uid, announced, _part(paths, uid).stat().st_size)
    except (OSError, msgspec.MsgspecError):
        return None


def _upload(uid: str, announced: _Announced, offset: int) -> Upload:
    return Upload(uid, announced.name, announced.owner, announced.length, offset, announced.created_at)


def _announced(upload: Upload) -> _Announced:
    return _Announced(upload.length, upload.name, upload.owner, upload.created_at)


def _part(paths: Paths, uid: str) -> Path:
    return paths.uploads / f"{uid}.part"


def _info(paths: Paths, uid: str) -> Path:
    return paths.uploads / f"{uid}.json"


def _plain_name(name: str) -> str:
    """The last part of what a browser calls a file, without anything that could end a line or a path."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[:200] or "backup.zip"
