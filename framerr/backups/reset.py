"""Preparing a return to the setup wizard: a safety backup, then an empty state that is put in like a restored one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from framerr.backups import create, portable, preflight, staging
from framerr.backups.archive import DATABASE
from framerr.backups.contributions import STANDARD
from framerr.core import migrations
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database, open_file
from framerr.core.files import disk_errors
from framerr.core.paths import Paths
from framerr.jobs.progress import Progress

STAGES = 1 + create.STAGES
"""How many stages `stage_reset` tells, the safety backup's included."""


def stage_reset(
    db: Database | None, paths: Paths, key: InstanceKey, *, requested_by: str = "", progress: Progress, now: datetime
) -> staging.WayBack:
    """Prepare an instance without users, settings or files; its backups, their pins and its key stay.

    The next boot puts it in. Raises Conflict while a restore is under way, DiskFull, Unavailable, Cancelled; the live
    data is untouched in every case.
    """
    progress.plan(STAGES)
    with staging.emptied_unless_announced(paths) as staged:
        database, files = preflight.sizes(paths, [])
        preflight.require_room({paths.staging: database + files})
        way_back = staging.secure_way_back(db, paths, key, "Before a reset", progress, now)
        progress.stage("Preparing an empty instance")
        data = Path("data")
        staging.make_folders(staged, [data, *(Path(each.into, each.section) for each in STANDARD)])
        path = staged / data / DATABASE
        with disk_errors(path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with open_file(path) as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrations.upgrade(connection)
            staging.settle(connection, staging.local_rows(db), key, 0)
            connection.exec_driver_sql("COMMIT")
            portable.require_sound(connection, "The new database")
        progress.safe_to_cancel(False)
        staging.announce(paths, way_back, "reset", "to the setup wizard", requested_by, now)
    return way_back
