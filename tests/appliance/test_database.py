"""The database of a folder, brought to this version's schema: wholly or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from framerr.appliance import database
from framerr.core import migrations
from framerr.core.db import Database, look_into, open_file
from framerr.core.errors import Corrupt, Incompatible


def revision_of(path: Path) -> str | None:
    with open_file(path, read_only=True) as connection:
        return migrations.current(connection)


def test_a_new_database_is_private_and_needs_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "framerr.db"
    database.bring_up(path, backup=lambda: pytest.fail("there is nothing to back up"))
    assert revision_of(path) == migrations.head()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_database_of_this_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "framerr.db"
    database.bring_up(path, backup=lambda: None)
    before = path.read_bytes()
    database.bring_up(path, backup=lambda: pytest.fail("there is nothing to upgrade"))
    assert path.read_bytes() == before


def test_another_program_that_reads_the_database_keeps_nobody_from_booting(tmp_path: Path) -> None:
    """A backup tool or a browser of SQLite files with an open transaction: a boot on trial must not fail by it."""
    path = tmp_path / "framerr.db"
    database.bring_up(path, backup=lambda: None)
    db = Database(path)
    with db.writing() as session:
        session.connection().exec_driver_sql("INSERT INTO settings VALUES ('a', '1', '2026-01-01T00:00:00.000000Z')")

    with look_into(path) as other:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql("SELECT count(*) FROM settings").scalar()
        db.close()
        database.bring_up(path, backup=lambda: pytest.fail("there is nothing to upgrade"))
        db = Database(path)
        with db.writing() as session:
            session.connection().exec_driver_sql("DELETE FROM settings")
        db.close()


def test_an_empty_file_left_by_a_killed_first_boot_is_filled(tmp_path: Path) -> None:
    """T15: a first boot that was killed is simply begun again."""
    path = tmp_path / "framerr.db"
    path.touch()
    database.bring_up(path, backup=lambda: None)
    assert revision_of(path) == migrations.head()


def test_a_database_of_a_newer_version_is_refused_naming_both(tmp_path: Path) -> None:
    """T19."""
    path = tmp_path / "framerr.db"
    database.bring_up(path, backup=lambda: None)
    with open_file(path) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Incompatible, match=rf"9999.*{migrations.head()}"):
        database.bring_up(path, backup=lambda: None)
    assert revision_of(path) == "9999"


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "framerr.db"
    path.touch()
    with open_file(path) as connection:
        connection.exec_driver_sql("CREATE TABLE songs (title TEXT)")
    with pytest.raises(Incompatible, match="was not made by this program"):
        database.bring_up(path, backup=lambda: None)


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "framerr.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    with pytest.raises(Corrupt, match="is not a readable database"):
        database.bring_up(path, backup=lambda: None)
