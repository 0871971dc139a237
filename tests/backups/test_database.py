"""The database inside an archive: refused unless it is whole, ours alone, and fit to be lived in."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from framerr.appliance import Appliance
from framerr.backups import folder, inspect, restore, swap, verify
from framerr.backups.models import Backup
from framerr.core.db import open_file
from framerr.core.errors import Corrupt, FramerrError, InvalidInput
from framerr.jobs.progress import Progress
from tests.backups.filled import make_backup
from tests.backups.test_create import left_behind
from tests.backups.test_restore import LATER, rezipped
from tests.factories import NOW

SPY = "CREATE TRIGGER spy AFTER UPDATE ON integrations BEGIN UPDATE settings SET value = new.credential; END"
PEOPLE = "CREATE VIEW users AS SELECT 1 AS id, 'administrator' AS role, NULL AS disabled_at"
MANY = tuple(f"CREATE TABLE t{number} (a)" for number in range(1000))
FORGED: dict[str, tuple[tuple[str, ...], str]] = {
    "trigger": ((SPY,), "trigger spy does not belong there"),
    "view": (("CREATE VIEW people AS SELECT * FROM users",), "view people does not belong there"),
    "view instead of a table": (("DROP TABLE users", PEOPLE), "table users is missing|view users does not belong"),
    "other table": (("CREATE TABLE more (a)",), "table more does not belong there"),
    "missing table": (("DROP TABLE integrations",), "table integrations is missing"),
    "altered table": (("ALTER TABLE users ADD COLUMN more TEXT",), "table users is another one"),
    "many tables": (MANY, "cannot be opened|thousands"),
    "blob": (("UPDATE integrations SET credential = x'00ff'",), "credential of integrations cannot be read"),
    "rotten date": (("UPDATE users SET created_at = 'x'",), "created_at of users cannot be read"),
    "two schemas": (("INSERT INTO alembic_version VALUES ('0000')",), "cannot be opened"),
    "no schema": (("DELETE FROM alembic_version",), "another schema than its manifest says"),
}
NOBODY = {
    "no users": "DELETE FROM users",
    "no administrator": "UPDATE users SET role = 'editor'",
    "a disabled one": "UPDATE users SET disabled_at = created_at WHERE role = 'administrator'",
}


def forged(appliance: Appliance, tmp_path: Path, change: Callable[[Connection], None]) -> Path:
    """An archive with another database, its hashes right: whoever forges one gets that far."""

    def exchange(members: dict[str, bytes]) -> None:
        file = tmp_path / "forged.db"
        file.write_bytes(members["framerr.db"])
        with open_file(file) as connection:
            change(connection)
        members["framerr.db"] = file.read_bytes()
        manifest = json.loads(members["manifest.json"])
        digest = hashlib.sha256(members["framerr.db"]).hexdigest()
        manifest["files"]["framerr.db"] = {"size": len(members["framerr.db"]), "sha256": digest}
        members["manifest.json"] = json.dumps(manifest).encode()

    return rezipped(folder.file_of(appliance.paths, make_backup(appliance)), tmp_path / "forged.zip", exchange)


def with_statements(*statements: str) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("COMMIT")

    return change


def refused(appliance: Appliance, path: Path, kind: type[FramerrError], words: str) -> None:
    with pytest.raises(kind, match=words):
        inspect.inspect_archive(path, appliance.paths, Progress())
    with pytest.raises(kind, match=words):
        restore.stage(appliance.db, appliance.paths, appliance.key, path, progress=Progress(), now=LATER)
    assert swap.state(appliance.paths) is None
    assert left_behind(appliance.paths) == []


@pytest.mark.parametrize("kind", FORGED)
def test_what_framerr_does_not_make_is_refused(filled: Appliance, tmp_path: Path, kind: str) -> None:
    """A trigger that came along would copy credentials at the first change; a view could stand for the users."""
    statements, words = FORGED[kind]

    refused(filled, forged(filled, tmp_path, with_statements(*statements)), Corrupt, words)


def test_a_table_of_another_make_is_refused(filled: Appliance, tmp_path: Path) -> None:
    def without_rowid(connection: Connection) -> None:
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'integrations'").scalar_one()
        with_statements(
            "ALTER TABLE integrations RENAME TO before",
            f"{made} WITHOUT ROWID",
            "INSERT INTO integrations SELECT * FROM before",
            "DROP TABLE before",
        )(connection)

    refused(filled, forged(filled, tmp_path, without_rowid), Corrupt, "table integrations is another one")


@pytest.mark.parametrize("kind", NOBODY)
def test_an_archive_that_nobody_could_manage_is_refused(filled: Appliance, tmp_path: Path, kind: str) -> None:
    path = forged(filled, tmp_path, with_statements(NOBODY[kind]))

    refused(filled, path, InvalidInput, "no administrator who could sign in")


def listed(appliance: Appliance, path: Path) -> Backup:
    target = appliance.paths.backups / "framerr-manual-2026-03-01T12-00-00Z.zip"
    shutil.copyfile(path, target)
    folder.reconcile(appliance.db, appliance.paths, now=NOW)
    with appliance.db.reading() as session:
        return next(row for row in folder.present(session) if row.name == target.name)


@pytest.mark.parametrize("kind", ["trigger", "missing table"])
def test_verifying_opens_the_database_as_well(filled: Appliance, tmp_path: Path, kind: str) -> None:
    """Right hashes alone say that the bytes are what was packed, not that they are of any use."""
    row = listed(filled, forged(filled, tmp_path, with_statements(*FORGED[kind][0])))

    verdict = verify.verify_backup(filled.db, filled.paths, row.uid, Progress(), now=NOW)

    assert verdict.state == "damaged"
    assert "database in this backup" in verdict.sentence
    assert left_behind(filled.paths) == []


def test_verifying_finds_a_database_that_is_none(filled: Appliance, tmp_path: Path) -> None:
    def garbage(members: dict[str, bytes]) -> None:
        members["framerr.db"] = b"garbage" * 1000
        manifest = json.loads(members["manifest.json"])
        digest = hashlib.sha256(members["framerr.db"]).hexdigest()
        manifest["files"]["framerr.db"] = {"size": 7000, "sha256": digest}
        members["manifest.json"] = json.dumps(manifest).encode()

    path = rezipped(folder.file_of(filled.paths, make_backup(filled)), tmp_path / "x.zip", garbage)

    verdict = verify.verify_backup(filled.db, filled.paths, listed(filled, path).uid, Progress(), now=NOW)

    assert (verdict.state, verdict.row_state) == ("damaged", "damaged")
    assert "cannot be opened" in verdict.sentence


def test_verifying_does_not_ask_for_users(filled: Appliance, tmp_path: Path) -> None:
    """A safety copy of an instance that was never set up is whole."""
    row = listed(filled, forged(filled, tmp_path, with_statements(NOBODY["no users"])))

    assert verify.verify_backup(filled.db, filled.paths, row.uid, Progress(), now=NOW).state == "good"
