"""Bringing the database of a folder to the schema of this version, before anything else opens it.

Promise: either the newest schema or the state before, in one transaction; and a backup of the state before it (R-002-28).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from framerr.core import migrations
from framerr.core.db import look_into, open_file, structure_faults
from framerr.core.errors import Corrupt, Incompatible
from framerr.core.files import disk_errors, fsync_folder

log = logging.getLogger(__name__)


def bring_up(path: Path, backup: Callable[[], object]) -> None:
    """Create or upgrade the database at `path`; `backup` is called first when there is something to lose.

    One that is of this version already is only looked at, also while other programs read it.

    Raises Incompatible when a newer version made it (T19), Corrupt when it is not a database or the upgrade would
    leave dangling rows, Unavailable or DiskFull; whatever `backup` raises ends it before anything is changed.
    """
    _create_file(path)
    with look_into(path) as connection:
        revision = migrations.current(connection)
        is_strange = revision is None and connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
    if is_strange:
        raise Incompatible(f"{path} was not made by this program. Move it away, or give Framerr a folder of its own.")
    migrations.require_known(revision, f"The database {path}")
    if revision == migrations.head():
        return
    if revision is not None:
        log.info("The database has the schema %s; it is backed up, then upgraded to %s", revision, migrations.head())
        backup()
    with open_file(path) as connection:
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        migrations.upgrade(connection)
        faults = structure_faults(connection)
        if faults:
            raise Corrupt(_refused("; ".join(faults)))
    except IntegrityError as error:
        connection.exec_driver_sql("ROLLBACK")
        raise Corrupt(_refused(str(error.orig))) from error
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _refused(why: str) -> str:
    return (
        f"The database cannot be upgraded: {why}. Nothing was changed. Restore a backup, or go back to the version that "
        "ran before."
    )


def _create_file(path: Path) -> None:
    with disk_errors(path):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return
        fsync_folder(path.parent)
