"""Bringing a database to the schema of this version, and knowing which schemas this version understands.

Promise: `upgrade` either reaches the newest revision or leaves the database as it was (one transaction, SQLite DDL
included). It takes no backup; the caller does that first.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from framerr.core import schema
from framerr.core.db import in_memory
from framerr.core.errors import Corrupt, Incompatible

_SCRIPTS = Path(__file__).parent
_one_at_a_time = Lock()  # Alembic keeps what it works on in a module


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def head() -> str:
    """The newest revision this version knows."""
    newest = _scripts().get_current_head()
    assert newest is not None
    return newest


def known() -> frozenset[str]:
    """Every revision this version can upgrade from, the newest included."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def current(connection: Connection) -> str | None:
    """The revision of an open database; None when it has no tables of ours yet. Raises Corrupt when it names several."""
    heads = MigrationContext.configure(connection).get_current_heads()
    if len(heads) > 1:
        raise Corrupt("The database is damaged: it names more than one schema. Restore a good backup.")
    return str(heads[0]) if heads else None


def require_known(revision: str | None, what: str) -> None:
    """Raises Incompatible, naming both revisions, when `revision` is from a newer or another program (T19)."""
    if revision is not None and revision not in known():
        raise Incompatible(
            f"{what} has the schema {revision}, which this version does not know (it knows up to {head()}). "
            "It was made by a newer version: install that version, or use an older backup."
        )


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring an open database to the newest revision, inside a transaction that the caller began.

    Raises Incompatible for an unknown revision; whatever a migration raises passes through, and the caller rolls back.
    """
    require_known(current(connection), "The database")
    config = _config()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, revision)


@cache
def shape(revision: str) -> schema.Shape:
    """What a database of a known revision is made of."""
    with in_memory() as connection:
        connection.exec_driver_sql("BEGIN")
        upgrade(connection, revision)
        return schema.shape(connection)
