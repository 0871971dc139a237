"""Flow E over real processes: restored by command and by page, on trial, given back, reset, set aside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from framerr.backups import swap
from framerr.backups.models import RESTORED, RETURNED
from framerr.cli.rehearsal import comparison, pages
from framerr.cli.rehearsal.browser import Browser
from framerr.core.clock import utcnow
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database, open_file
from framerr.core.paths import Paths
from framerr.observability import events
from framerr.settings import store
from tests.backups.filled import SECRETS, contains, fill
from tests.factories import appliance_in
from tests.processes import Served, as_json, framerr, until

PASSWORD = "correct horse battery"


@pytest.fixture
def first(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A filled, stopped instance and a backup of it outside its folder."""
    (tmp_path / "first").mkdir()
    with appliance_in(tmp_path / "first", now=utcnow()) as appliance:
        fill(appliance, utcnow())
    folder = tmp_path / "first" / "config"
    made = as_json(framerr(folder, "backup", "create", "--json"))
    archive = tmp_path / made["name"]
    shutil.copyfile(folder / "backups" / made["name"], archive)
    return folder, archive


def key_of(folder: Path) -> InstanceKey:
    return InstanceKey.parse((folder / "keys" / "instance.key").read_text())


def instance_name(folder: Path) -> str:
    db = Database(folder / "data" / "framerr.db")
    try:
        with db.reading() as session:
            return store.read(session).instance_name
    finally:
        db.close()


def told(folder: Path, kind: str, limit: int = 50) -> list[str]:
    db = Database(folder / "data" / "framerr.db")
    try:
        with db.reading() as session:
            return [event.text for event in events.recent(session, kind=kind, limit=limit)]
    finally:
        db.close()


def forge(folder: Path, statement: str) -> None:
    """Write what this program would never write into the database of a stopped instance."""
    with open_file(folder / "data" / "framerr.db") as connection:
        connection.exec_driver_sql(statement)


def signs_in(served: Served) -> bool:
    browser = Browser(f"http://127.0.0.1:{served.port}")
    pages.sign_in(browser, "ada", PASSWORD)
    return browser.path == "/"


def test_a_stopped_brand_new_folder_is_restored_by_command(first: tuple[Path, Path], tmp_path: Path) -> None:
    """T18, T21, T22, R-002-32: under another key, everything is there, enumerated from the schema; nobody reads keys."""
    folder, archive = first
    second = tmp_path / "second"
    result = as_json(framerr(second, "restore", str(archive), "--yes", "--json"))
    assert swap.state(Paths(second)) == "trial"
    found = comparison.compare(archive, Paths(folder), key_of(folder), Paths(second), key_of(second))
    assert (found.credentials, key_of(second).fingerprint != key_of(folder).fingerprint) == (len(SECRETS), True)
    for secret in SECRETS:
        assert contains(second / "data", secret.encode()) == contains(second / "incoming", secret.encode()) == []
    with Served(second) as served:
        assert signs_in(served)
        assert served.stop() == 0
    assert result["safety_backup"].startswith("framerr-safety-")


def test_a_running_instance_is_restored_and_restarts_by_itself(first: tuple[Path, Path]) -> None:
    folder, archive = first
    framerr(folder, "config", "set", "instance.name", "Changed since")
    with Served(folder) as served:
        done = framerr(folder, "restore", str(archive), "--yes")
        assert done.returncode == 0, done.stderr
        until(lambda: swap.state(Paths(folder)) == "trial", "the restored state is put in")
        served.until_ready()
        assert framerr(folder, "config", "get", "instance.name").stdout == "Studio server\n"
        assert signs_in(served)
        assert served.stop() == 0
    names = [one["name"] for one in as_json(framerr(folder, "backup", "list", "--json"))]
    assert len([name for name in names if "-safety-" in name]) == 1


def test_a_declined_restore_changes_nothing(first: tuple[Path, Path]) -> None:
    folder, archive = first
    before = sorted(path.name for path in (folder / "backups").iterdir())
    done = framerr(folder, "restore", str(archive), stdin="n\n")
    assert done.returncode == 10
    assert "Comes back:" in done.stdout
    assert sorted(path.name for path in (folder / "backups").iterdir()) == before
    assert swap.state(Paths(folder)) is None


def test_a_restored_state_that_cannot_be_opened_gives_way_at_once(first: tuple[Path, Path]) -> None:
    """T16: the previous state returns by itself and says so."""
    folder, archive = first
    framerr(folder, "config", "set", "instance.name", "The previous one")
    assert framerr(folder, "restore", str(archive), "--yes").returncode == 0
    (folder / "data" / "framerr.db").write_bytes(b"this is not a database" * 1000)
    with Served(folder) as served:
        assert swap.state(Paths(folder)) is None
        assert signs_in(served)
        assert served.stop() == 0
    assert instance_name(folder) == "The previous one"
    (text,) = told(folder, RETURNED)
    assert str(folder / "data.failed") in text
    assert (folder / "data.failed" / "framerr.db").exists()
    assert framerr(folder, "backup", "create").returncode == 0
    assert not (folder / "data.failed").exists()


def test_the_third_start_on_trial_gives_way(first: tuple[Path, Path]) -> None:
    """T15: a restored state that never gets past its first minute does not loop for ever."""
    folder, archive = first
    framerr(folder, "config", "set", "instance.name", "The previous one")
    assert framerr(folder, "restore", str(archive), "--yes").returncode == 0
    names = []
    for _ in range(3):
        with Served(folder) as served:
            names.append(framerr(folder, "config", "get", "instance.name").stdout.strip())
            served.kill()
    assert names == ["Studio server", "Studio server", "The previous one"]
    (text,) = told(folder, RETURNED)
    assert "It came up, but in two starts it never ran for a whole minute." in text


def test_polite_ends_within_the_first_minute_revert_nothing(first: tuple[Path, Path]) -> None:
    """A person who restarts three times in a row keeps the restored state, and what was written since."""
    folder, archive = first
    assert framerr(folder, "restore", str(archive), "--yes").returncode == 0
    for number in range(3):
        with Served(folder) as served:
            assert framerr(folder, "config", "set", "instance.name", f"Written since, {number}").returncode == 0
            assert served.stop() == 0
    with Served(folder) as served:
        assert framerr(folder, "config", "get", "instance.name").stdout == "Written since, 2\n"
        assert swap.state(Paths(folder)) == "trial"
        assert served.stop() == 0


def test_no_row_of_a_restored_state_stops_a_boot_or_a_command(first: tuple[Path, Path]) -> None:
    """Its trial is over and not told yet: whatever its events hold, there is no loop."""
    folder, archive = first
    assert framerr(folder, "restore", str(archive), "--yes").returncode == 0
    forge(folder, "UPDATE events SET kind = 'backup.restored', data = '[]'")
    swap.confirm(Paths(folder), utcnow())
    assert framerr(folder, "backup", "list").returncode == 0
    with Served(folder) as served:
        assert signs_in(served)
        assert served.stop() == 0
    assert len([text for text in told(folder, RESTORED, limit=1) if "is done" in text]) == 1
    assert framerr(folder, "restore", str(archive), "--yes").returncode == 0


def test_a_state_that_cannot_be_recovered_is_rescued(first: tuple[Path, Path]) -> None:
    """The database opens, but what it says of unfinished work makes no sense."""
    folder, archive = first
    forge(
        folder, "UPDATE runs SET kind = 'backup', subject = uid, state = 'running', trigger = 'schedule', attempt = -10"
    )
    done = framerr(folder, "restore", str(archive), "--yes")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    with Served(folder) as served:
        assert signs_in(served)


def test_a_state_on_trial_that_cannot_be_recovered_gives_way(first: tuple[Path, Path]) -> None:
    folder, archive = first
    framerr(folder, "config", "set", "instance.name", "The previous one")
    assert framerr(folder, "restore", str(archive), "--yes").returncode == 0
    forge(
        folder, "UPDATE runs SET kind = 'backup', subject = uid, state = 'running', trigger = 'schedule', attempt = -10"
    )
    with Served(folder) as served:
        assert signs_in(served)
        assert served.stop() == 0
    assert instance_name(folder) == "The previous one"
    assert len(told(folder, RETURNED)) == 1


def test_the_wrong_file_is_corrected_at_once(first: tuple[Path, Path]) -> None:
    """On a stopped instance, where no minute passes; the way back of both is the state that had proved itself."""
    folder, right = first
    framerr(folder, "config", "set", "instance.name", "The wrong one")
    wrong = as_json(framerr(folder, "backup", "create", "--json"))["name"]
    framerr(folder, "config", "set", "instance.name", "The previous one")
    assert framerr(folder, "restore", wrong, "--yes").returncode == 0
    assert instance_name(folder) == "The wrong one"
    done = framerr(folder, "restore", str(right), "--yes")
    assert done.returncode == 0, done.stderr
    assert instance_name(folder) == "Studio server"
    swap.give_back(Paths(folder), "Only for this test.", utcnow())
    assert instance_name(folder) == "The previous one"


def test_a_reset_leads_to_the_wizard_and_its_safety_backup_back(first: tuple[Path, Path]) -> None:
    folder, _ = first
    safety = as_json(framerr(folder, "reset", "--yes", "--json"))["safety_backup"]
    with Served(folder) as served:
        assert served.get("/login")[1].count("setup") > 0
        assert served.get("/setup/start")[0] == 200
        assert framerr(folder, "restore", safety, "--yes").returncode == 0, "on trial itself, and yet at once"
        until(lambda: served.get("/setup/start")[0] not in {0, 200}, "the restored state is put in")
        served.until_ready()
        assert signs_in(served)


def test_a_damaged_database_is_set_aside_and_an_archive_brought_back(first: tuple[Path, Path]) -> None:
    """T17: the appliance does not start and says what to do; the command does it; the raw files stay."""
    folder, archive = first
    garbage = b"SQLite format 3\0" + bytes(range(256)) * 200
    (folder / "data" / "framerr.db").write_bytes(garbage)
    refused = framerr(folder, "serve", PORT="39999")
    assert (refused.returncode, "Restore a backup" in refused.stderr, "Traceback" in refused.stderr) == (7, True, False)
    checks = {one["check"]: one for one in json.loads(framerr(folder, "doctor", "--json").stdout)}
    assert checks["database"]["state"] == "bad"
    assert "framerr restore" in checks["database"]["advice"]
    done = framerr(folder, "restore", str(archive), "--yes")
    assert done.returncode == 0, done.stderr
    (aside,) = folder.glob("data.set-aside-*")
    assert (aside / "framerr.db").read_bytes() == garbage
    assert str(aside) in done.stdout
    with Served(folder) as served:
        assert signs_in(served)


def test_a_restore_is_the_way_out_of_a_lost_key(first: tuple[Path, Path]) -> None:
    """A locked instance takes an archive, whose credentials are sealed with the key at hand."""
    folder, archive = first
    (folder / "keys" / "instance.key").write_text(InstanceKey.new().raw.hex())
    with Served(folder) as served:
        assert framerr(folder, "backup", "create").returncode == 4
        assert framerr(folder, "restore", str(archive), "--yes").returncode == 0
        until(lambda: swap.state(Paths(folder)) == "trial", "the restored state is put in")
        served.until_ready()
        assert framerr(folder, "backup", "create").returncode == 0
