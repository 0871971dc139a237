"""Writing files so that a crash leaves the old or the new one, and saying disk trouble in words."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from framerr.core.errors import DiskFull, Unavailable

CHUNK = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED = frozenset({errno.EACCES, errno.EPERM})


def size_in_words(count: int) -> str:
    """`count` bytes as people say it: 812 bytes, 48.6 MB."""
    if count < 1000:
        return f"{count}\u00a0bytes"
    value = float(count)
    for unit in ("KB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f}\u00a0{unit}"
    return f"{value / 1000:.1f}\u00a0TB"


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a sentence about `path`.

    Raises DiskFull when its file system has no room left, Unavailable for everything else: not permitted (with the
    user id and the fix), read-only, gone, input/output error.
    """
    try:
        yield
    except OSError as error:
        raise _translated(error, path) from error


def _translated(error: OSError, path: Path) -> Unavailable:
    name = error.filename if isinstance(error.filename, str) else str(path)
    if error.errno in _FULL:
        free = free_bytes(path)
        return DiskFull(
            f"The disk is full: {name} could not be written. Free some space and try again.", path=path, free=free
        )
    if error.errno in _REFUSED:
        return Unavailable(
            f"{name} is not accessible for user {os.geteuid()}:{os.getegid()}. "
            f"Give that user access, for example with: chown -R {os.geteuid()}:{os.getegid()} {path}",
            retryable=False,
        )
    if error.errno == errno.EROFS:
        return Unavailable(f"{name} is on a read-only file system. Mount it writable and try again.", retryable=False)
    reason = error.strerror or str(error)
    return Unavailable(f"{name} could not be used: {reason}. Look at the disk or the mount, then try again.")


def free_bytes(path: Path) -> int | None:
    """Free bytes for this user on the file system of `path` or its nearest existing parent; None when unknown."""
    for candidate in (path, *path.parents):
        with suppress(OSError):
            found = os.statvfs(candidate)
            return found.f_bavail * found.f_frsize
    return None


def fsync_folder(folder: Path) -> None:
    """Make renames and new names inside `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def atomic_write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` with `data`: readers and crashes see the old file or the new one, never a part.

    The temporary file lies beside the target and is removed when writing fails. Raises OSError.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def sha256_file(path: Path, on_bytes: Callable[[int], None] | None = None) -> tuple[str, int]:
    """SHA-256 (hex) and size of a file, read in 1 MiB pieces.

    `on_bytes` hears the size of each piece; what it raises ends the reading. Raises OSError.
    """
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if on_bytes is not None:
                on_bytes(len(chunk))
    return digest.hexdigest(), size


def fsync_tree(folder: Path) -> None:
    """Make every file and folder below `folder`, and `folder` itself, survive a power cut."""
    for base, _, names in os.walk(folder, topdown=False):
        for name in names:
            handle = os.open(Path(base) / name, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        fsync_folder(Path(base))


def remove_tree(path: Path) -> None:
    """Remove a folder and all below it; one that is not there is fine. Raises OSError."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def empty_folder(path: Path) -> None:
    """Remove everything inside `path` but not `path`; one that is not there is fine. Raises OSError."""
    if path.is_dir():
        for entry in path.iterdir():
            remove_tree(entry)
