"""Bringing a database to the schema of this version, and knowing which schemas this version understands.

Promise: `upgrade` either reaches the newest revision or leaves the database as it was (one transaction, SQLite DDL
included). It takes no backup; the caller does that first.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from framerr.core.errors import Incompatible

_SCRIPTS = Path(__file__).parent


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
    """The revision of an open database; None when it has no tables of ours yet."""
    return MigrationContext.configure(connection).get_current_revision()


def require_known(revision: str | None, what: str) -> None:
    """Raises Incompatible, naming both revisions, when `revision` is from a newer or another program (T19)."""
    if revision is not None and revision not in known():
        raise Incompatible(
            f"{what} has the schema {revision}, which this version does not know (it knows up to {head()}). "
            "It was made by a newer version: install that version, or use an older backup."
        )


def upgrade(connection: Connection) -> None:
    """Bring an open database to the newest revision, inside a transaction that the caller began.

    Raises Incompatible for an unknown revision; whatever a migration raises passes through, and the caller rolls back.
    """
    require_known(current(connection), "The database")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
