"""A database reaches the schema of this version, or stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from framerr.appliance import MODELS
from framerr.core import migrations
from framerr.core.db import Base, Fate, TableFate, fates, open_file
from framerr.core.errors import Corrupt, Incompatible

assert MODELS


def schema(connection: Connection) -> dict[str, list[str]]:
    """Every table and index with the parts that define it; white space, quoting and order do not count."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {name: parts(sql) for name, sql in rows if name != "alembic_version"}


def parts(definition: str) -> list[str]:
    words = "".join(definition.replace('"', "").split())
    head, _, body = words.rpartition(")")[0].partition("(")
    return [head, *sorted(body.split(","))]


def test_an_empty_file_reaches_the_tables_as_they_are_declared(tmp_path: Path) -> None:
    declared = create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    Base.metadata.create_all(declared)
    (tmp_path / "new.db").touch()

    with open_file(tmp_path / "new.db") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        migrations.upgrade(connection)
        connection.exec_driver_sql("COMMIT")

        assert migrations.current(connection) == migrations.head()
        with declared.connect() as other:
            assert schema(connection) == schema(other)
    declared.dispose()


def test_an_upgrade_that_is_rolled_back_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()

    with open_file(tmp_path / "new.db") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        migrations.upgrade(connection)
        connection.exec_driver_sql("ROLLBACK")

        assert schema(connection) == {}
        assert migrations.current(connection) is None


def test_a_schema_from_the_future_is_refused_with_both_names(tmp_path: Path) -> None:
    """T19: a newer program made it, so nothing is guessed."""
    (tmp_path / "new.db").touch()
    with open_file(tmp_path / "new.db") as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")

        with pytest.raises(Incompatible) as refused:
            migrations.upgrade(connection)

    assert "9999" in refused.value.message
    assert migrations.head() in refused.value.message


def test_two_schemas_at_once_are_damage(tmp_path: Path) -> None:
    """T17: two rows where one belongs."""
    (tmp_path / "new.db").touch()
    with open_file(tmp_path / "new.db") as connection:
        migrations.upgrade(connection)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0000')")

        with pytest.raises(Corrupt, match="more than one schema"):
            migrations.upgrade(connection)


def test_every_table_says_what_becomes_of_it_in_a_backup() -> None:
    """T21 begins here: a table without a fate cannot exist, and what starts empty has words for people."""
    declared = fates()

    assert set(declared) == set(Base.metadata.tables)
    assert all(isinstance(fate, TableFate) for fate in declared.values())
    assert all(fate.name and fate.words for fate in declared.values() if fate.fate is Fate.PURGE)
