"""Taking possession of the `/config` folder: prepared, writable, whole, locked, with a clean place for temporary files.

Promise: after `open_folder` this process is the only one that writes there, and nothing temporary is outside it.
Prohibitions: opens no database and decides nothing about a pending restore.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import tempfile
from pathlib import Path

from framerr.appliance import mounts
from framerr.appliance.holding import hold
from framerr.core.errors import Unavailable
from framerr.core.files import disk_errors, empty_folder
from framerr.core.lock import FolderLock, Holder, holder
from framerr.core.paths import Paths

log = logging.getLogger(__name__)
PRIVATE = 0o077
# What `core.files.atomic_write` calls a file until it is whole.
HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}\.part")


def open_folder(paths: Paths) -> FolderLock:
    """Prepare, check and lock the folder; the caller releases the lock.

    Raises Unavailable or DiskFull when it cannot be written or is spread over file systems, Conflict when another
    process holds it. Says in the log when what is written may be lost with the container.
    """
    os.umask(PRIVATE)
    with disk_errors(paths.root):
        paths.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = holder(paths.lock)
    lock = hold(paths.lock)
    try:
        with disk_errors(paths.root):
            paths.prepare()
        _require_writable(paths)
        _require_one_file_system(paths)
    except BaseException:
        lock.release()
        raise
    tempfile.tempdir = str(paths.tmp)
    os.putenv("SQLITE_TMPDIR", str(paths.tmp))  # nothing of the database spills outside the folder either
    _remove_old_socket(before)
    warning = mounts.unkept(paths.root, mounts.read())
    if warning:
        log.warning(warning)
    return lock


def sweep(paths: Paths) -> None:
    """Remove what a killed process left in `incoming/tmp` and `incoming/staging`, and files it had half written beside
    their place; call it once no restore is pending.

    It may hold readable credentials, so this comes before anything answers. Raises Unavailable.
    """
    with disk_errors(paths.incoming):
        empty_folder(paths.tmp)
        empty_folder(paths.staging)
    for folder in (paths.root, paths.keys, paths.favicon, paths.profile_pictures, paths.custom_icons):
        with disk_errors(folder):
            for left in folder.glob(".*.part"):
                if HALF_WRITTEN.fullmatch(left.name):
                    left.unlink(missing_ok=True)


def required(paths: Paths) -> tuple[Path, ...]:
    """The folders without which nothing works. `backups` is not among them: it may be a NAS that is away."""
    return (
        paths.root, paths.data, paths.profile_pictures, paths.custom_icons, paths.favicon,
        paths.keys, paths.uploads, paths.tmp, paths.staging,
    )  # fmt: skip


def probe(folder: Path) -> None:
    """Write and remove a file. Raises Unavailable or DiskFull with the folder's path, the user id and the fix."""
    name = folder / f".probe-{secrets.token_hex(4)}"
    with disk_errors(folder):
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            name.unlink()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(folder)) from None


def spread(paths: Paths) -> Path | None:
    """The folder that lies on another file system than the rest, so that a restore could not move it; or None."""
    name = f".probe-{secrets.token_hex(4)}"
    source = paths.tmp / name
    with disk_errors(paths.tmp):
        source.touch(mode=0o600)
    try:
        for target in (paths.data, paths.root, paths.staging):
            try:
                source = source.rename(target / name)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    return target
                raise
    finally:
        source.unlink(missing_ok=True)
    points = {mount.point for mount in mounts.read()}
    return next((path for path in (paths.data, paths.incoming, paths.staging) if path.resolve() in points), None)


def _require_writable(paths: Paths) -> None:
    for folder in required(paths):
        probe(folder)
    try:
        probe(paths.backups)
    except Unavailable as error:
        log.warning("Backups cannot be written now. %s", error.message)


def _require_one_file_system(paths: Paths) -> None:
    with disk_errors(paths.root):
        elsewhere = spread(paths)
    if elsewhere is not None:
        raise Unavailable(
            f"{elsewhere} is on a file system of its own, but {paths.data} and {paths.incoming} must be on one, because "
            f"a restore moves whole folders between them. Mount one volume at {paths.root} (backups may be another).",
            retryable=False,
        )


def _remove_old_socket(before: Holder | None) -> None:
    """A process that was killed could not remove its control socket; it was alone in a folder of its own."""
    if before is None or before.socket is None:
        return
    left = Path(before.socket)
    if left.parent.name.startswith("framerr-") and left.is_socket():
        left.unlink(missing_ok=True)
        try:
            left.parent.rmdir()
        except OSError as error:
            log.info("The old control socket's folder %s stays: %s", left.parent, error.strerror)
