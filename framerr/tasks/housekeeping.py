"""The daily job: what is over is removed, so that nothing grows without an end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select

from framerr.accounts import sessions
from framerr.accounts.models import User
from framerr.appliance import Appliance
from framerr.backups import swap
from framerr.core import uploads
from framerr.core.files import disk_errors
from framerr.jobs import queue
from framerr.jobs.runner import RunContext
from framerr.settings.models import CustomIcon
from framerr.tasks.recovery import sweep_parts

# A file younger than this may be one whose row is being written.
ORPHANED_AFTER: Final = timedelta(days=1)
# What `core.assets` calls a picture. A person's own file in the folder has another name, and stays.
_PICTURE = re.compile(r"[0-9a-f]{32}\.(png|webp)")


def keep_house(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Remove expired sessions, old failures to sign in, old Runs, uploads left alone, pictures that no row names,
    half-made archives, and the states that a restore left aside.

    Raises Unavailable when a folder cannot be cleaned; what was removed until then stays removed.
    """
    context.progress.stage("Tidying the database")
    with appliance.db.writing() as session:
        ended = sessions.purge_expired(session, context.now)
        forgotten = queue.prune(session, context.now)
    context.progress.stage("Removing what was left behind")
    stale = uploads.sweep(appliance.paths, context.now)
    orphans = _remove_orphans(appliance, context.now)
    sweep_parts(appliance, context.now, at_boot=False)
    retired = swap.retire_before(appliance.paths, context.now, older_than=swap.KEPT_BEFORE)
    return {"sessions": ended, "runs": forgotten, "uploads": stale, "pictures": orphans, "previous_state": retired}


def _remove_orphans(appliance: Appliance, now: datetime) -> int:
    """Remove pictures that a crash left between their file and their row; how many. The rows are read after the files
    were listed, so a picture that is given a row meanwhile is known."""
    paths, db = appliance.paths, appliance.db
    old = [path for folder in (paths.profile_pictures, paths.custom_icons) for path in _old_pictures(folder, now)]
    with db.reading() as session:
        named: dict[Path, set[str | None]] = {
            paths.profile_pictures: set(session.scalars(select(User.picture))),
            paths.custom_icons: set(session.scalars(select(CustomIcon.file))),
        }
    orphans = [path for path in old if path.name not in named[path.parent]]
    for path in orphans:
        with disk_errors(path):
            path.unlink(missing_ok=True)
    return len(orphans)


def _old_pictures(folder: Path, now: datetime) -> list[Path]:
    newest = (now - ORPHANED_AFTER).timestamp()
    with disk_errors(folder):
        found = [path for path in folder.iterdir() if _PICTURE.fullmatch(path.name) and path.is_file()]
        return [path for path in found if path.stat().st_mtime < newest]
