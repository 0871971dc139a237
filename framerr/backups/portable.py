"""The copy of the database that goes into an archive: one consistent moment, readable credentials, nothing purged."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Text, column, inspect, select, table
from sqlalchemy.engine import Connection

from framerr.backups import credentials, tables
from framerr.backups.archive import InstanceRef, Purged, SealedElsewhere
from framerr.core import migrations, schema
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


def write_copy(
    db: Database, key: InstanceKey | None, path: Path, progress: Progress, *, of_today: bool = True
) -> Facts:
    """Copy the live database to `path` and make the copy portable; readers and writers go on meanwhile (T12, T13).

    The copy holds readable credentials: its folder must be private and short-lived. What people or other programs added
    to the database is left out of it, which is said. Raises Corrupt when the database is damaged, also in a way that
    only a restore would find (unless it is not `of_today`: a state to be kept as it is), DiskFull or Unavailable; then
    the copy is of no use.
    """
    progress.stage("Copying the database")
    db.copy_into(path)
    progress.check()
    progress.stage("Making credentials portable")
    what = f"The database {db.path}"
    with open_file(path) as connection:
        revision = migrations.current(connection)
        if revision not in migrations.known():
            raise Corrupt(f"{what} is damaged: it names no schema that this version knows. Restore a good backup.")
        for stranger in schema.drop_strangers(connection, migrations.shape(revision)):
            progress.note(f"The {stranger} in the database is none of Framerr's and is left out of the backup.", "warn")
        careful(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        purged = tables.clear(connection)
        left = credentials.make_plain(connection, key)
        connection.exec_driver_sql("COMMIT")
        require_sound(connection, what)
        if of_today:
            require_shape(connection, revision, what)
            require_readable(connection, what)
        facts = Facts(
            revision=revision,
            instance=instance_of(connection),
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
    _require_none(structure_faults(connection), what)


def require_shape(connection: Connection, revision: str, what: str) -> None:
    """Raises Corrupt, naming `what`, unless it has the tables and indexes of its schema, all of them and no others."""
    _require_none(schema.differences(schema.shape(connection), migrations.shape(revision)), what)


def require_readable(connection: Connection, what: str, names: Collection[str] | None = None) -> None:
    """Raises Corrupt, naming `what`, when values in the tables of these names, or of any, are not of their column."""
    _require_none(schema.value_faults(connection, names), what)


def _require_none(faults: list[str], what: str) -> None:
    if faults:
        raise Corrupt(f"{what} is damaged: {'; '.join(faults[:3])}. Restore a good backup.")


def instance_of(connection: Connection) -> InstanceRef:
    """Whose database it is, also when its schema is an older one."""
    present = set(inspect(connection).get_table_names())
    uid, name = "", str(INSTANCE_NAME.default)
    if Instance.__tablename__ in present:
        uid = connection.execute(select(column("uid")).select_from(table(Instance.__tablename__))).scalar() or ""
    if Setting.__tablename__ in present:
        value = column("value", Text)
        named = select(value).select_from(table(Setting.__tablename__)).where(column("key") == INSTANCE_NAME.key)
        stored = connection.execute(named).scalar()
        with suppress(TypeError, ValueError, RecursionError):
            name = str(msgspec.json.decode(stored)) if stored else name
    return InstanceRef(uid, name)


def _pragma(connection: Connection, name: str) -> int:
    value: int = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
    return value
