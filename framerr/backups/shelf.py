"""Putting a finished file into the backups folder: under a name of its own, never over another, never half.

A file grows as `.<name>.part` beside its place (people mount a NAS there: nothing is renamed across folders) and gets
its name when it is proven.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from threading import Lock

from framerr.backups.archive import Type, file_name, part_name
from framerr.core.files import disk_errors, fsync_folder

NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})
_naming = Lock()


@contextmanager
def new_part(folder: Path, type: Type, created_at: datetime) -> Iterator[Path]:
    """An empty file of its own (0600) beside its future place; gone when the block ends, published or not.

    Raises DiskFull or Unavailable.
    """
    with disk_errors(folder):
        part = _reserve(folder, type, created_at)
    try:
        yield part
    finally:
        with disk_errors(folder):
            part.unlink(missing_ok=True)


def publish(part: Path, type: Type, created_at: datetime) -> Path:
    """Give a finished, synced part its final name, `-2` and so on when taken. After this it survives a power cut.

    Raises DiskFull or Unavailable; then it has no final name.
    """
    with disk_errors(part.parent):
        for name in _names(type, created_at):
            target = part.with_name(name)
            try:
                _name_without_replacing(part, target)
            except FileExistsError:
                continue
            try:
                fsync_folder(target.parent)
            except OSError:
                target.unlink(missing_ok=True)
                raise
            return target
    raise AssertionError("there is always another name")


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """What happens to a published file until it is listed: a run that fails leaves none under a final name."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def sync(file: Path) -> None:
    """Make the bytes of a file survive a power cut. Raises DiskFull or Unavailable."""
    with disk_errors(file):
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path, *, untouched_since: datetime | None = None) -> None:
    """Remove the parts that a killed process left, of archives and of pins: all of them, or those that nobody wrote to
    since a moment.

    Raises Unavailable, for instance when a NAS is away.
    """
    with disk_errors(folder):
        for part in (*folder.glob(".framerr-*.part"), *folder.glob("..*.pin.*.part")):
            if untouched_since is None or part.stat().st_mtime < untouched_since.timestamp():
                part.unlink(missing_ok=True)


def _reserve(folder: Path, type: Type, created_at: datetime) -> Path:
    for name in _names(type, created_at):
        part = folder / part_name(name)
        if part.with_name(name).exists():
            continue
        try:
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        return part
    raise AssertionError("there is always another name")


def _names(type: Type, created_at: datetime) -> Iterator[str]:
    return (file_name(type, created_at, number) for number in count(1))


def _name_without_replacing(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # File systems without links (exFAT, some shares): only this process makes such names.
        with _naming:
            if target.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
            part.rename(target)
    else:
        part.unlink()
