"""What `framerr doctor` finds, on folders in every condition, and that it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from framerr.appliance import Appliance
from framerr.appliance.holding import is_held
from framerr.backups import swap
from framerr.console import checks
from framerr.console.checks import database
from framerr.console.checks.finding import Finding
from framerr.core.config import Settings
from framerr.core.crypto import InstanceKey
from framerr.core.db import open_file
from framerr.core.files import sha256_file
from framerr.core.lock import FolderLock
from framerr.observability import events
from tests.backups.filled import fill, make_backup
from tests.factories import NOW, appliance_in, make_folder, make_settings


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Appliance]:
    with appliance_in(tmp_path) as appliance:
        fill(appliance)
        yield appliance


def examined(settings: Settings, now: object = NOW) -> dict[str, Finding]:
    return {finding.check: finding for finding in checks.examine(settings, now)}  # type: ignore[arg-type]


def digests(folder: Path) -> dict[str, str]:
    return {str(path): sha256_file(path)[0] for path in folder.rglob("*") if path.is_file()}


def test_a_whole_instance_has_nothing_bad(filled: Appliance) -> None:
    found = examined(filled.settings)
    assert [finding for finding in found.values() if finding.state == "bad"] == []
    assert found["key"].found.endswith("opens all 5 credentials")
    assert found["time zone"].found == "Europe/Berlin"
    assert found["backups"].state == "ok"


def test_it_changes_nothing(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        fill(appliance)
    before = digests(appliance.paths.root)
    examined(appliance.settings)
    assert digests(appliance.paths.root) == before


def test_a_folder_that_is_not_there_is_no_fault_and_is_not_made(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    found = examined(settings)
    assert [finding for finding in found.values() if finding.state == "bad"] == []
    assert not settings.config_dir.exists()


def test_an_empty_folder_gets_no_key(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    paths = make_folder(settings)
    assert examined(settings)["key"].found.startswith("none yet")
    assert not paths.instance_key.exists()


def test_a_lost_and_a_wrong_key_are_bad_and_name_the_right_one(filled: Appliance) -> None:
    right = filled.key.fingerprint
    filled.paths.instance_key.unlink()
    assert (examined(filled.settings)["key"].state, right in examined(filled.settings)["key"].found) == ("bad", True)
    filled.paths.instance_key.write_text(InstanceKey.new().raw.hex())
    assert f"sealed with {right}" in examined(filled.settings)["key"].found


def test_two_different_keys_are_bad(filled: Appliance, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, SECRET_ENCRYPTION_KEY=InstanceKey.new().raw.hex())
    assert examined(settings)["key"].state == "bad"


def test_a_file_that_is_no_database_is_bad(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    make_folder(settings).database.write_bytes(b"garbage" * 1000)
    found = examined(settings)["database"]
    assert (found.state, found.advice) == ("bad", "framerr restore FILE brings back a backup.")


def test_a_newer_schema_is_bad_and_an_older_one_is_not(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    paths = make_folder(settings)
    with open_file(paths.database) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "9999 is not known" in examined(settings)["database"].found


def test_dangling_rows_are_bad(filled: Appliance) -> None:
    filled.db.close()
    with open_file(filled.paths.database) as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("DELETE FROM runs")
    assert "points at a missing row" in examined(filled.settings)["database"].found


def test_a_clock_that_went_back_is_warned_about_and_an_absurd_one_is_bad(filled: Appliance) -> None:
    """T29."""
    with filled.db.writing() as session:
        events.record(session, "x", text="from the future", now=NOW + timedelta(days=400))
    assert examined(filled.settings)["clock"].state == "warn"
    assert examined(filled.settings, NOW.replace(year=1970))["clock"].state == "bad"


def test_an_old_backup_is_warned_about(filled: Appliance) -> None:
    make_backup(filled, now=NOW)
    assert examined(filled.settings, NOW + timedelta(days=1))["backups"].state == "ok"
    assert examined(filled.settings, NOW + timedelta(days=3))["backups"].state == "warn"


def test_a_restore_that_waits_or_is_on_trial_is_told(filled: Appliance) -> None:
    (filled.paths.staging / "data").mkdir()
    swap.announce(filled.paths, swap.Marker(swaps=[swap.data_swap(filled.paths)]))
    assert "The next start applies it" in examined(filled.settings)["restore"].advice


def test_who_holds_the_folder_is_told(filled: Appliance) -> None:
    assert examined(filled.settings)["process"].found == "the appliance does not run on this folder"
    lock = FolderLock(filled.paths.lock)
    lock.take()
    try:
        assert is_held(filled.paths.lock)
        assert "holds the folder" in examined(filled.settings)["process"].found
    finally:
        lock.release()
    assert not is_held(filled.paths.lock)


@pytest.mark.parametrize(
    ("version", "has_bug"),
    [
        ("3.40.1", True), ("3.44.5", True), ("3.44.6", False), ("3.45.0", True), ("3.50.6", True), ("3.50.7", False),
        ("3.51.2", True), ("3.51.3", False), ("3.53.4", False),
    ],
)  # fmt: skip
def test_the_sqlite_with_the_wal_reset_bug_is_known(version: str, has_bug: bool) -> None:
    assert ("WAL-reset bug" in database.sqlite(version).found) is has_bug
