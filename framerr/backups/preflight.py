"""Whether a backup can and should be made now: room on the disk, and something worth backing up (T40)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from framerr.accounts.models import User
from framerr.backups.contributions import Source
from framerr.core.errors import Conflict, DiskFull
from framerr.core.files import disk_errors, free_bytes, size_in_words
from framerr.core.paths import Paths

RESERVE = 200_000_000


def require_room(needs: Mapping[Path, int]) -> None:
    """Raises DiskFull unless every folder has room for what it is to take, plus 10 % and 200 MB of reserve.

    Folders on one file system share its room. Where the free space is unknown, writing itself will tell.
    """
    by_device: dict[int, list[Path]] = {}
    for folder in needs:
        with disk_errors(folder):
            by_device.setdefault(os.stat(folder).st_dev, []).append(folder)
    for folders in by_device.values():
        needed = sum(needs[folder] for folder in folders) * 11 // 10 + RESERVE
        free = free_bytes(folders[0])
        if free is not None and free < needed:
            where = " and ".join(str(folder) for folder in folders)
            raise DiskFull(
                f"There is not enough room for {where}: {size_in_words(needed)} are needed (including a reserve of "
                f"{size_in_words(RESERVE)}), {size_in_words(free)} are free. Free some space and try again.",
                path=folders[0],
                needed=needed,
                free=free,
            )


def sizes(paths: Paths, sources: Sequence[Source]) -> tuple[int, int]:
    """Bytes of the live database with its write-ahead log, and of the files."""
    database = (paths.database, paths.database.with_name(f"{paths.database.name}-wal"))
    with disk_errors(paths.data):
        return sum(map(size_of, database)), sum(size_of(source.path) for source in sources)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 when it is gone. Raises OSError."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def require_users(session: Session) -> None:
    """Raises Conflict when nobody has an account: an instance that was never set up, or one that was emptied."""
    if not session.scalar(select(func.count()).select_from(User)):
        raise Conflict(
            "There is nothing to back up: the database has no users. Finish the setup, or restore a backup first."
        )
