"""The database inside an archive: is it whole, of the schema it claims, made of nothing but that, and fit to be lived in?

Nothing of it is used before that is answered: a trigger that came along would work for whoever planted it, in every
later statement.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import column, func, inspect, select, table
from sqlalchemy.engine import Connection

from framerr.accounts.models import User
from framerr.backups import preflight
from framerr.backups.archive import DATABASE, Manifest
from framerr.core import migrations, schema
from framerr.core.db import open_file, structure_faults
from framerr.core.errors import Corrupt, InvalidInput
from framerr.core.files import disk_errors
from framerr.core.paths import Paths
from framerr.core.zips import Limits, open_archive

_SHOWN = 3


def require_openable(file: Path, manifest: Manifest) -> None:
    """Hold an unpacked database against the schema that its manifest names; nothing is written to it.

    Raises Corrupt when it is damaged, of another schema, holds tables, views, triggers or indexes that are not of that
    schema, or (where it is today's) values that are not of their column. A schema of a newer version is only opened.
    """
    try:
        with open_file(file, read_only=True) as connection:
            fault = _fault(connection, manifest)
    except Corrupt as error:
        raise Corrupt("The database in this backup cannot be opened: it is damaged. Use another backup.") from error
    if fault is not None:
        raise Corrupt(f"The database in this backup {fault}. Use another backup.")


def require_administrator(file: Path) -> None:
    """Raises InvalidInput when nobody could manage the instance that this unpacked database would make."""
    with open_file(file, read_only=True) as connection:
        if not {"role", "disabled_at"} <= {each["name"] for each in inspect(connection).get_columns("users")}:
            return
        enabled = select(func.count()).select_from(table(User.__tablename__)).where(
            column("role") == "administrator", column("disabled_at").is_(None)
        )  # fmt: skip
        if not connection.execute(enabled).scalar():
            raise InvalidInput(
                "The database in this backup has no administrator who could sign in, so nobody could manage the restored "
                "instance. Use another backup, or begin with Start Fresh."
            )


def open_inside(path: Path, paths: Paths, manifest: Manifest, limits: Limits | None, *, to_restore: bool) -> None:
    """Unpack the database of a proven archive into a scratch folder, open it there, and remove it again.

    `to_restore`: an administrator must be in it. Raises what the two functions above raise, DiskFull and Unavailable.
    """
    preflight.require_room({paths.tmp: manifest.files[DATABASE].size})
    with disk_errors(paths.tmp):
        scratch = tempfile.TemporaryDirectory(prefix="inspect-", dir=paths.tmp)
    with scratch as name:
        with open_archive(path, limits) as reader:
            reader.extract(DATABASE, Path(name))
        file = Path(name, DATABASE)
        require_openable(file, manifest)
        if to_restore:
            require_administrator(file)


def _fault(connection: Connection, manifest: Manifest) -> str | None:
    """What is wrong, as the rest of the sentence "The database in this backup …"."""
    revision = manifest.schema_revision
    if revision in migrations.known():
        strange = schema.differences(schema.shape(connection), migrations.shape(revision))
        if strange:
            return f"is not as Framerr makes it: {_some(strange)}. It was changed by another program"
    faults = structure_faults(connection)
    if not faults and migrations.current(connection) != revision:
        return "has another schema than its manifest says"
    if not faults and revision == migrations.head():
        faults = schema.value_faults(connection)
    return f"is damaged: {_some(faults)}" if faults else None


def _some(faults: list[str]) -> str:
    return "; ".join(faults[:_SHOWN])
