"""T17: a live database that rotted, or that people changed, is a sentence; and never stands in the way of the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from framerr.appliance import Appliance
from framerr.backups import create, folder, reset, restore, staging
from framerr.core import migrations, schema
from framerr.core.db import open_file
from framerr.core.errors import Corrupt
from framerr.jobs.progress import Progress
from tests.backups.filled import make_backup, rows_of
from tests.backups.test_create import unpacked
from tests.backups.test_restore import LATER, rebooted
from tests.factories import NOW

ROT = {
    "backups.created_at": "UPDATE backups SET created_at = '2026-1x'",
    "backups.contents": "UPDATE backups SET contents = '{'",
    "backups.contents of another kind": "UPDATE backups SET contents = 'null'",
    "backups.serial": "UPDATE backups SET serial = 'x'",
    "backups.name": "UPDATE backups SET name = x'00' WHERE id = 1",
    "instance.created_at": "UPDATE instance SET created_at = 'x'",
    "instance.uid": "UPDATE instance SET uid = 5.0 || x'ff'",
    "settings.value": "UPDATE settings SET value = '{bad'",
    "instance_local.backup_serial": "UPDATE instance_local SET backup_serial = 'x'",
    "integrations.credential": "UPDATE integrations SET credential = x'00'",
    "events.at": "UPDATE events SET at = 'x'",
    "a table": "DROP TABLE custom_icons",
    "all tables of the list": "DROP TABLE backups",
    "the schema's name": "DELETE FROM alembic_version",
    "two names of a schema": "INSERT INTO alembic_version VALUES ('0000')",
    "a column": "ALTER TABLE settings ADD COLUMN extra TEXT",
}


class Listening(Progress):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str, *_level: object) -> None:
        self.lines.append(text)


def rot(appliance: Appliance, change: str) -> None:
    with appliance.db.writing() as session:
        session.connection().exec_driver_sql(change)


@pytest.mark.parametrize("change", ROT)
def test_it_is_no_backup_but_a_sentence(filled: Appliance, change: str) -> None:
    """An archive that no restore would take is not made; the value itself is never told."""
    before = set(filled.paths.backups.iterdir())
    rot(filled, ROT[change])

    with pytest.raises(Corrupt, match=r"damaged|not a readable database"):
        make_backup(filled)

    assert set(filled.paths.backups.iterdir()) == before


@pytest.mark.parametrize("change", ROT)
def test_it_can_be_restored_to_a_good_backup(filled: Appliance, tmp_path: Path, change: str) -> None:
    """Its raw files are the way back."""
    source = folder.file_of(filled.paths, make_backup(filled))
    users = rows_of(filled)["users"]
    rot(filled, ROT[change])

    staged = restore.stage(filled.db, filled.paths, filled.key, source, progress=Progress(), now=LATER)

    assert staged.way_back.set_aside is not None
    with rebooted(filled, tmp_path, "old") as back:
        assert rows_of(back)["users"] == users
        with back.db.reading() as session:
            assert schema.value_faults(session.connection()) == []
        made = make_backup(back, now=LATER)
        assert made.state == "good"
        assert made.serial >= 3


def test_a_trigger_that_forbids_everything_does_not_block_its_restore(filled: Appliance, tmp_path: Path) -> None:
    """Whatever the live database makes the safety backup trip over, its raw files are kept instead."""
    source = folder.file_of(filled.paths, make_backup(filled))
    rot(filled, "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END")

    staged = restore.stage(filled.db, filled.paths, filled.key, source, progress=Progress(), now=LATER)

    assert staged.way_back.set_aside is not None
    assert "cannot work with (IntegrityError)" in staged.way_back.sentence
    with rebooted(filled, tmp_path, "old") as back:
        assert make_backup(back, now=LATER).state == "good"


@pytest.mark.parametrize("change", ["backups.created_at", "settings.value", "all tables of the list"])
def test_it_can_be_reset(filled: Appliance, tmp_path: Path, change: str) -> None:
    rot(filled, ROT[change])

    way_back = reset.stage_reset(filled.db, filled.paths, filled.key, progress=Progress(), now=LATER)

    assert way_back.set_aside is not None
    with rebooted(filled, tmp_path, "old") as back:
        assert rows_of(back)["users"] == []


def test_what_can_be_read_of_this_folder_is_carried_over(filled: Appliance) -> None:
    """Rot in the list does not cost the counter."""
    rot(filled, ROT["backups.created_at"])

    rows = staging.local_rows(filled.db)

    assert rows["backups"] == []
    assert rows["instance_local"][0]["backup_serial"] == 1


def test_what_people_added_to_the_database_is_left_out(filled: Appliance, tmp_path: Path) -> None:
    """The archive is of the schema it names, or a restore would refuse it; nothing of a trigger fires in the copy."""
    with filled.db.writing() as session:
        for statement in (
            "CREATE TABLE more (a TEXT)",
            "CREATE TRIGGER spy AFTER UPDATE ON integrations BEGIN INSERT INTO more VALUES (new.credential); END",
            "CREATE TRIGGER gone AFTER DELETE ON account_sessions BEGIN DELETE FROM users; END",
            "CREATE VIEW people AS SELECT * FROM users",
            "CREATE INDEX fast ON users (role)",
        ):
            session.connection().exec_driver_sql(statement)
    said = Listening()

    row = create.create_backup(filled.db, filled.paths, filled.key, type="manual", progress=said, now=NOW)

    with open_file(unpacked(filled, row, tmp_path) / "framerr.db", read_only=True) as connection:
        assert schema.shape(connection) == migrations.shape(migrations.head())
    assert row.contents["counts"]["users"] == 2
    assert sum("left out of the backup" in line for line in said.lines) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DROP TABLE custom_icons", "table custom_icons is missing"),
        ("ALTER TABLE settings ADD COLUMN extra TEXT", "table settings is another one"),
        ("UPDATE integrations SET credential = x'00'", "credential of integrations cannot be read in 5 rows"),
        ("UPDATE backups SET created_at = '2026-1x'", "created_at of backups cannot be read in 1 row"),
        ("UPDATE backups SET contents = '{'", "contents of backups cannot be read in 1 row"),
        ("UPDATE backups SET serial = 'x'", "serial of backups cannot be read in 1 row"),
        ("UPDATE instance SET created_at = 'x'", "created_at of instance cannot be read in 1 row"),
        ("UPDATE settings SET value = '{bad'", "value of settings cannot be read in 5 rows"),
        ("UPDATE instance_local SET backup_serial = 'x'", "backup_serial of instance_local cannot be read in 1 row"),
    ],
)
def test_a_database_that_rotted_is_no_backup_but_a_sentence(filled: Appliance, change: str, words: str) -> None:
    """T17: by table and column, never the value; an archive that no restore would take is not made."""
    before = set(filled.paths.backups.iterdir())
    with filled.db.writing() as session:
        session.connection().exec_driver_sql(change)

    with pytest.raises(Corrupt, match=words) as told:
        make_backup(filled)

    assert str(filled.paths.database) in told.value.message
    assert set(filled.paths.backups.iterdir()) == before
