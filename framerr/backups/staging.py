"""What a restore and a reset share: the way back first, then a whole new state beside the live one, announced last.

Until `announce` nothing live was touched; whatever fails before, the staging folder is emptied again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from framerr.backups import portable, swap
from framerr.backups.create import create_backup
from framerr.backups.models import Backup
from framerr.core.crypto import InstanceKey
from framerr.core.db import Base, Database, Fate, fates, new_uid
from framerr.core.errors import Cancelled, Corrupt, FramerrError, Unavailable
from framerr.core.files import disk_errors, empty_folder, fsync_tree
from framerr.core.paths import Paths
from framerr.core.zips import Limits
from framerr.jobs.progress import Progress
from framerr.settings import instance
from framerr.settings.models import InstanceLocal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WayBack:
    """How the present state can be had again: a safety backup, or its raw files set aside, with the sentence why."""

    safety: Backup | None
    set_aside: Path | None
    sentence: str


@contextmanager
def emptied_unless_announced(paths: Paths) -> Iterator[Path]:
    """The staged root, empty at first, and again at the end unless `restore.pending` was written.

    A state on trial is no obstacle: whoever put in the wrong file puts in the right one at once. Raises Conflict when
    another state waits for a restart, Unavailable when the folder cannot be emptied.
    """
    swap.require_unprepared(paths)
    with disk_errors(paths.staging):
        empty_folder(paths.staging)
    try:
        yield paths.staging
    finally:
        if swap.state(paths) != "pending":
            with disk_errors(paths.staging):
                empty_folder(paths.staging)


def secure_way_back(
    db: Database | None,
    paths: Paths,
    key: InstanceKey,
    note: str,
    progress: Progress,
    now: datetime,
    *,
    limits: Limits | None = None,
) -> WayBack:
    """Make a safety backup (R-002-38); where that is impossible, decide to keep the raw files instead (T17).

    A damaged database, an unreadable file or a full backup disk therefore does not stand in the way. Raises Cancelled.
    """
    try:
        if db is None:
            raise Corrupt("The database of this instance cannot be opened.")
        safety = create_backup(db, paths, key, type="safety", note=note, limits=limits, progress=progress, now=now)
    except Cancelled:
        raise
    except (FramerrError, *_ACCIDENTS) as error:
        stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        aside = paths.root / f"data.set-aside-{stamp}-{new_uid()[:4]}"
        sentence = (
            f"No safety backup could be made. {_told(error)} The files of this instance are kept as they are in {aside} "
            "instead; delete that folder when you do not need it any more."
        )
        progress.note(sentence, "warn")
        return WayBack(None, aside, sentence)
    return WayBack(safety, None, f"The safety backup {safety.name} holds the state before.")


# What a database with triggers, types or rows of a stranger makes this program's own code raise. None of it may stand
# in the way back, which needs no understanding of the files.
_ACCIDENTS = (SQLAlchemyError, AttributeError, LookupError, TypeError, ValueError)


def _told(error: Exception) -> str:
    if isinstance(error, FramerrError):
        return error.message
    log.warning("The present state cannot be worked with", exc_info=error)
    return f"The database holds something that this version cannot work with ({type(error).__name__})."


def local_rows(db: Database | None) -> dict[str, list[dict[str, Any]]]:
    """The rows that describe this folder, by table; none of a table that cannot be read."""
    if db is None:
        return {}
    return {name: _readable_rows(db, name) for name, fate in fates().items() if fate.fate is Fate.LOCAL}


def _readable_rows(db: Database, name: str) -> list[dict[str, Any]]:
    try:
        with db.reading() as session:
            portable.require_readable(session.connection(), f"The database {db.path}", {name})
            return [dict(row) for row in session.execute(select(Base.metadata.tables[name])).mappings()]
    except (Corrupt, Unavailable):
        return []


def settle(connection: Connection, rows: dict[str, list[dict[str, Any]]], key: InstanceKey, serial: int) -> None:
    """Make a staged database one of this folder: its list of backups, its key, a serial that never goes back."""
    for name in fates():
        if rows.get(name):
            connection.execute(insert(Base.metadata.tables[name]), rows[name])
    last = connection.execute(select(InstanceLocal.backup_serial)).scalar()
    if last is None:
        connection.execute(insert(InstanceLocal).values(id=1, backup_serial=0))
    highest = max(instance.believable(serial), instance.believable(last or 0))
    connection.execute(update(InstanceLocal).values(key_fingerprint=key.fingerprint, backup_serial=highest))


def make_folders(staged: Path, folders: Iterable[Path]) -> None:
    """Empty folders below the staged root, private to the owner, so that the new state is complete by itself."""
    with disk_errors(staged):
        for folder in folders:
            (staged / folder).mkdir(mode=0o700, parents=True, exist_ok=True)


def announce(paths: Paths, way_back: WayBack, kind: swap.Kind, what: str, requested_by: str, now: datetime) -> None:
    """Make the staged state durable, then write `restore.pending`: the next boot puts it in.

    What an earlier restore replaced is gone then, unless that one is on trial (`swap.announce`). Raises DiskFull or
    Unavailable; then nothing is pending.
    """
    with disk_errors(paths.staging):
        fsync_tree(paths.staging)
    change = swap.data_swap(paths, before=way_back.set_aside)
    marker = swap.Marker(kind=kind, what=what, requested_by=requested_by, staged_at=now, swaps=[change])
    try:
        swap.announce(paths, marker)
    except BaseException:
        # It may have its name already, when only making that name durable failed.
        with disk_errors(paths.root):
            paths.restore_pending.unlink(missing_ok=True)
        raise
