"""The safety copy before an upgrade of the database: one for one state, whatever state that is."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from framerr.appliance import Appliance
from framerr.backups import create, verify
from framerr.core.db import open_file
from framerr.jobs.progress import Progress
from tests.factories import NOW


def test_the_database_of_an_older_version_is_saved_without_its_models(filled: Appliance) -> None:
    """R-002-38's sister: before an upgrade of the schema, tables and columns may not be today's."""
    filled.db.close()
    with open_file(filled.paths.database) as connection:
        for table in ("backups", "instance", "integrations"):
            connection.exec_driver_sql(f"DROP TABLE {table}")

    path = create.before_upgrade(filled.paths, filled.key, NOW)

    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["type"] == "safety"
    assert manifest["serial"] == 2
    assert manifest["counts"]["users"] == 2


def attempt_an_upgrade(filled: Appliance) -> Path:
    """A boot that makes its safety copy, changes the database and takes it back: the upgrade failed."""
    path = create.before_upgrade(filled.paths, filled.key, NOW)
    with open_file(filled.paths.database) as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("CREATE TABLE more AS SELECT * FROM users, events")
        connection.exec_driver_sql("DELETE FROM events")
        connection.exec_driver_sql("ROLLBACK")
    return path


def test_one_state_is_saved_once_however_often_its_upgrade_fails(filled: Appliance) -> None:
    """A container that restarts for ever must not fill the disk with copies that are never deleted."""
    filled.db.close()
    before = len(list(filled.paths.backups.iterdir()))

    first = attempt_an_upgrade(filled)
    again = {attempt_an_upgrade(filled) for _ in range(3)}

    assert again == {first}
    assert len(list(filled.paths.backups.iterdir())) == before + 1
    with filled.db.writing() as session:
        session.connection().exec_driver_sql("UPDATE users SET display_name = 'Changed meanwhile'")
    filled.db.close()
    other = attempt_an_upgrade(filled)
    assert other != first
    other.write_bytes(other.read_bytes()[:-1000])
    assert attempt_an_upgrade(filled) not in {first, other}, "a damaged copy is none"


def test_a_forged_number_does_not_keep_an_upgrade_from_being_saved(filled: Appliance) -> None:
    (path,) = filled.paths.backups.iterdir()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | {"serial": 10**12}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    filled.db.close()

    saved = create.before_upgrade(filled.paths, filled.key, NOW)

    assert verify.verify_archive(saved, Progress()).state == "good"


def test_the_state_before_an_upgrade_is_saved_though_values_in_it_rotted(filled: Appliance) -> None:
    """It is kept as it is: the upgrade decides whether it can go on."""
    with filled.db.writing() as session:
        session.connection().exec_driver_sql("UPDATE settings SET value = '{bad'")
        session.connection().exec_driver_sql("UPDATE integrations SET credential = x'00'")
    filled.db.close()

    assert create.before_upgrade(filled.paths, filled.key, NOW).exists()
