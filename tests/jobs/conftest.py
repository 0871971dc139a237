"""A real database with the tables of the jobs room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, event

from framerr.core.db import Base, Database
from framerr.jobs import models  # noqa: F401 - its tables are created below


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "framerr.db")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def full_disk(db: Database) -> Event:
    """While it is set, the database file cannot grow: SQLite answers as it does on a full disk."""
    full = Event()
    with db.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages if full.is_set() else 1_000_000}")

    event.listen(db.engine, "begin", limit)
    return full
