"""What a backup and a restore do to the tables of a database file, as each table declares it (`core.db.Fate`)."""

from __future__ import annotations

from sqlalchemy import delete, func, inspect, select, table, text
from sqlalchemy.engine import Connection

from framerr.backups.archive import Purged
from framerr.core.db import Base, Fate, fates


def clear(connection: Connection) -> list[Purged]:
    """Delete what no archive may hold, in the caller's transaction, and say how much of what that was.

    PURGE tables and LOCAL tables lose all rows, KEEP tables those outside their `keep_where`. LOCAL rows are not
    counted: nothing is lost with them. A table of an older schema is left alone where its rule cannot be applied.
    """
    present = set(inspect(connection).get_table_names())
    purged: list[Purged] = []
    # Rows that point at others go first, so that a rule about them still sees what they point at.
    for name, fate in reversed(list(fates().items())):
        if name not in present:
            continue
        if fate.fate is not Fate.KEEP:
            rows = count(connection, name)
            connection.execute(delete(table(name)))
        elif fate.keep_where is not None and _has_todays_columns(connection, name):
            rows = connection.execute(delete(table(name)).where(text(f"NOT ({fate.keep_where})"))).rowcount
        else:
            continue
        if fate.fate is not Fate.LOCAL:
            purged.append(Purged(name, fate.name, fate.words, rows))
    return purged[::-1]


def counts(connection: Connection) -> dict[str, int]:
    """Rows of every table whose rows an archive holds."""
    present = set(inspect(connection).get_table_names())
    kept = [name for name, fate in fates().items() if fate.fate is Fate.KEEP]
    return {name: count(connection, name) for name in kept if name in present}


def count(connection: Connection, name: str) -> int:
    found: int = connection.execute(select(func.count()).select_from(table(name))).scalar_one()
    return found


def _has_todays_columns(connection: Connection, name: str) -> bool:
    there = {column["name"] for column in inspect(connection).get_columns(name)}
    return there >= {column.name for column in Base.metadata.tables[name].columns}
