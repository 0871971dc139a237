"""The daily job: what is over is removed, so that nothing grows without an end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from framerr.accounts import sessions
from framerr.appliance import Appliance
from framerr.backups import swap
from framerr.core.files import disk_errors
from framerr.jobs import queue
from framerr.jobs.runner import RunContext

UPLOADS_KEPT: Final = timedelta(hours=24)


def keep_house(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Remove expired sessions, old failures to sign in, old Runs, uploads left alone, and the state before a restore.

    Raises Unavailable when a folder cannot be cleaned; what was removed until then stays removed.
    """
    context.progress.stage("Tidying the database")
    with appliance.db.writing() as session:
        ended = sessions.purge_expired(session, context.now)
        forgotten = queue.prune(session, context.now)
    context.progress.stage("Removing what was left behind")
    uploads = remove_stale(appliance.paths.uploads, context.now - UPLOADS_KEPT)
    retired = swap.retire_before(appliance.paths, context.now, older_than=swap.KEPT_BEFORE)
    return {"sessions": ended, "runs": forgotten, "uploads": uploads, "previous_state": retired}


def remove_stale(folder: Path, before: datetime) -> int:
    """Remove the files in `folder` that nobody has written to since `before`. Says how many. Raises Unavailable."""
    removed = 0
    with disk_errors(folder):
        for path in folder.iterdir():
            if path.is_file() and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                removed += 1
    return removed
