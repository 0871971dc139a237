"""What a database file is made of, and whether its values are what the schema says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.engine import Connection

from framerr.appliance import MODELS
from framerr.core import migrations, schema
from framerr.core.db import Base, open_file
from framerr.core.errors import Corrupt
from tests.factories import NOW

assert MODELS


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Connection]:
    """A file at the newest revision, without rows."""
    (tmp_path / "x.db").touch()
    with open_file(tmp_path / "x.db") as connection:
        migrations.upgrade(connection)
        yield connection


ROWS: dict[str, dict[str, object]] = {
    "backups": {"name": "x.zip", "type": "manual", "size": 1, "mtime_ns": 1, "created_at": NOW, "state": "good"},
    "settings": {"key": "a", "value": [1], "changed_at": NOW},
    "integrations": {"kind": "framer", "name": "x", "config": {}, "credential": "plain:x", "created_at": NOW},
    "runs": {"kind": "backup", "trigger": "manual", "cancellable": True, "created_at": NOW, "state": "done"},
    "events": {"at": NOW, "kind": "x", "level": "info", "subject": "", "text": "", "data": {}},
}


@pytest.fixture
def filled(file: Connection) -> Connection:
    """One row in some tables, of every kind of value."""
    for table, row in ROWS.items():
        file.execute(insert(Base.metadata.tables[table]).values(row))
    return file


def told(file: Connection) -> list[str]:
    return schema.differences(schema.shape(file), migrations.shape(migrations.head()))


def test_a_migrated_file_has_the_shape_of_its_revision(file: Connection) -> None:
    file.exec_driver_sql("ANALYZE")

    assert told(file) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("CREATE TRIGGER spy AFTER INSERT ON users BEGIN SELECT 1; END", "trigger spy does not belong there"),
        ("CREATE VIEW people AS SELECT * FROM users", "view people does not belong there"),
        ("CREATE TABLE more (a)", "table more does not belong there"),
        ("CREATE INDEX fast ON users (role)", "index fast does not belong there"),
        ("DROP INDEX ix_events_at", "index ix_events_at is missing"),
        ("DROP TABLE custom_icons", "table custom_icons is missing"),
        ("ALTER TABLE settings ADD COLUMN extra TEXT", "table settings is another one"),
    ],
)
def test_whatever_is_not_ours_is_named(file: Connection, change: str, words: str) -> None:
    file.exec_driver_sql(change)

    assert told(file) == [words]


def test_a_table_without_rowid_is_another_one(file: Connection) -> None:
    made = file.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'settings'").scalar_one()
    file.exec_driver_sql("DROP TABLE settings")
    file.exec_driver_sql(f"{made} WITHOUT ROWID")

    assert told(file) == ["table settings is another one"]


def test_a_view_in_the_place_of_a_table_is_named(file: Connection) -> None:
    file.exec_driver_sql("DROP TABLE settings")
    file.exec_driver_sql("CREATE VIEW settings AS SELECT 'a' AS key, '1' AS value, '' AS changed_at")

    assert set(told(file)) == {"view settings does not belong there", "table settings is missing"}


def test_a_file_of_thousands_of_tables_is_refused(file: Connection) -> None:
    file.exec_driver_sql("BEGIN")
    for number in range(1000):
        file.exec_driver_sql(f"CREATE TABLE t{number} (a)")
    file.exec_driver_sql("COMMIT")

    with pytest.raises(Corrupt, match="thousands of tables"):
        told(file)


def test_what_people_added_is_dropped_and_named(file: Connection) -> None:
    """A trigger first: nothing fires, not even for the rows of a table that goes."""
    file.exec_driver_sql("CREATE TABLE more (a)")
    file.exec_driver_sql("INSERT INTO more VALUES (1)")
    file.exec_driver_sql('CREATE TRIGGER "s\'py" AFTER DELETE ON settings BEGIN DELETE FROM users; END')
    file.exec_driver_sql("CREATE VIEW people AS SELECT * FROM more")

    dropped = schema.drop_strangers(file, migrations.shape(migrations.head()))

    assert set(dropped) == {"table more", "trigger s'py", "view people"}
    assert told(file) == []


def test_threads_may_ask_for_shapes_at_once() -> None:
    """Alembic itself is not made for threads."""
    migrations.shape.cache_clear()
    found: list[schema.Shape] = []
    threads = [threading.Thread(target=lambda: found.append(migrations.shape(migrations.head()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [migrations.shape(migrations.head())] * 6


def test_what_the_product_writes_is_readable(filled: Connection) -> None:
    assert schema.value_faults(filled) == []


@pytest.mark.parametrize(
    ("table", "column", "rot"),
    [
        ("backups", "created_at", "'2026-1x-02T00:00:00.000000Z'"),
        ("backups", "created_at", "'2026-02-30T00:00:00.000000Z'"),
        ("backups", "created_at", "'2026-02-03T24:00:00.000000Z'"),
        ("backups", "created_at", "'2026-02-03T00:00:00Z'"),
        ("backups", "created_at", "'0000-02-03T00:00:00.000000Z'"),
        ("backups", "created_at", "x'00'"),
        ("backups", "pinned_at", "0.5"),
        ("backups", "contents", "'{'"),
        ("backups", "contents", "'null'"),
        ("backups", "serial", "'x'"),
        ("backups", "serial", "1.5"),
        ("backups", "note", "x'00'"),
        ("settings", "value", "'{bad'"),
        ("integrations", "credential", "x'00'"),
        ("runs", "cancellable", "'yes'"),
    ],
)
def test_a_value_that_is_none_is_told_by_table_and_column(
    filled: Connection, table: str, column: str, rot: str
) -> None:
    """T17."""
    filled.exec_driver_sql(f"UPDATE {table} SET {column} = {rot}")

    assert schema.value_faults(filled) == [f"{column} of {table} cannot be read in 1 row"]
    assert schema.value_faults(filled, {"events"}) == []


@pytest.mark.parametrize(
    "moment", ["2026-12-31T23:59:59.999999Z", "1970-01-01T00:00:00.000001Z", "9998-12-31T23:59:59.999500Z"]
)
def test_moments_to_the_microsecond_are_moments(filled: Connection, moment: str) -> None:
    filled.exec_driver_sql("UPDATE events SET at = ?", (moment,))

    assert schema.value_faults(filled) == []


def test_a_column_that_an_older_schema_has_not_is_no_fault(filled: Connection) -> None:
    filled.exec_driver_sql("ALTER TABLE events DROP COLUMN data")
    filled.exec_driver_sql("DROP TABLE settings")

    assert schema.value_faults(filled) == []
