"""The copy of the database that goes into an archive: one consistent moment, readable credentials, nothing purged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Text, column, inspect, select, table
from sqlalchemy.engine import Connection

from framerr.backups import credentials, tables
from framerr.backups.archive import InstanceRef, Purged, SealedElsewhere
from framerr.core import migrations
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database, open_file, structure_faults
from framerr.core.errors import Corrupt
from framerr.core.files import disk_errors
from framerr.jobs.progress import Progress
from framerr.settings.models import Instance, Setting
from framerr.settings.schema import INSTANCE_NAME

# A copy with more than one free page in so many is compacted once more before it is packed.
_FREE_PAGES = 20


@dataclass(frozen=True)
class Facts:
    """What is in a portable copy. `sealed_elsewhere` could not be made readable."""

    revision: str
    instance: InstanceRef
    counts: dict[str, int]
    purged: list[Purged]
    sealed_elsewhere: list[SealedElsewhere]


def write_copy(db: Database, key: InstanceKey | None, path: Path, progress: Progress) -> Facts:
    """Copy the live database to `path` and make the copy portable; readers and writers go on meanwhile (T12, T13).

    The copy holds readable credentials: its folder must be private and short-lived. Raises Corrupt when the database
    is damaged, DiskFull or Unavailable; then the copy is of no use.
    """
    progress.stage("Copying the database")
    db.copy_into(path)
    progress.check()
    progress.stage("Making credentials portable")
    with open_file(path) as connection:
        careful(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        purged = tables.clear(connection)
        left = credentials.make_plain(connection, key)
        connection.exec_driver_sql("COMMIT")
        require_sound(connection, f"The database {db.path}")
        facts = Facts(
            revision=migrations.current(connection) or "",
            instance=_instance(connection),
            counts=tables.counts(connection),
            purged=purged,
            sealed_elsewhere=left,
        )
        sparse = _pragma(connection, "freelist_count") * _FREE_PAGES > _pragma(connection, "page_count")
    if sparse:
        compact(path)
    with disk_errors(path):
        path.chmod(0o600)
    return facts


def compact(path: Path) -> None:
    """Rewrite a database file without free pages, so that nothing deleted is in it. It must be closed.

    Not by VACUUM in place, which would put its copy into a temporary folder of the system.
    """
    beside = path.with_name(f"{path.name}.compacted")
    with open_file(path) as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(beside),))
    with disk_errors(path):
        beside.chmod(0o600)
        beside.replace(path)


def careful(connection: Connection) -> None:
    """Prepare a file beside the live one for changes: deleted bytes are overwritten, rules between tables hold, and
    SQLite keeps what it journals for single statements in memory, never in a temporary folder of the system.
    """
    for pragma in ("secure_delete=ON", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.exec_driver_sql(f"PRAGMA {pragma}")


def require_sound(connection: Connection, what: str) -> None:
    """Raises Corrupt, naming `what`, when SQLite finds the structure damaged."""
    faults = structure_faults(connection)
    if faults:
        raise Corrupt(f"{what} is damaged: {'; '.join(faults[:3])}. Restore a good backup.")


def _instance(connection: Connection) -> InstanceRef:
    """Who the copy is of, also when its schema is an older one."""
    present = set(inspect(connection).get_table_names())
    uid, name = "", str(INSTANCE_NAME.default)
    if Instance.__tablename__ in present:
        uid = connection.execute(select(column("uid")).select_from(table(Instance.__tablename__))).scalar() or ""
    if Setting.__tablename__ in present:
        value = column("value", Text)
        named = select(value).select_from(table(Setting.__tablename__)).where(column("key") == INSTANCE_NAME.key)
        stored = connection.execute(named).scalar()
        name = str(msgspec.json.decode(stored)) if stored else name
    return InstanceRef(uid, name)


def _pragma(connection: Connection, name: str) -> int:
    value: int = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
    return value
