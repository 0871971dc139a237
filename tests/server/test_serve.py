"""A real process: booted, refused, stopped, and what the next boot makes of what the last one left."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from framerr.core.clock import utcnow
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database
from framerr.core.lock import FolderLock
from framerr.integrations import store as integrations
from framerr.jobs import queue, schedules
from framerr.jobs.models import Run
from framerr.observability import events
from tests.factories import PASSWORD, appliance_in, set_up
from tests.processes import Served, as_json, environment, framerr, free_port, until

NOISE = os.urandom(1 << 20)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of a stopped instance with an administrator."""
    with appliance_in(tmp_path, now=utcnow()) as appliance:
        set_up(appliance, now=utcnow())
    return tmp_path / "config"


def make_heavy(folder: Path, megabytes: int) -> None:
    """Files that take a while to pack."""
    for number in range(megabytes // 8):
        (folder / "data" / "custom-icons" / f"{number:04}.png").write_bytes(NOISE * 8)


def runs_of(folder: Path) -> list[Run]:
    db = Database(folder / "data" / "framerr.db")
    try:
        with db.reading() as session:
            return list(session.scalars(select(Run).order_by(Run.id)))
    finally:
        db.close()


def latest(folder: Path, kind: str) -> Run | None:
    return next((run for run in reversed(runs_of(folder)) if run.kind == kind), None)


def ask_for_backup(folder: Path) -> subprocess.Popen[bytes]:
    """A command that waits for its backup; the test need not."""
    command = [sys.executable, "-m", "framerr", "backup", "create"]
    return subprocess.Popen(
        command, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder.parent
    )


def test_an_empty_folder_shows_the_wizard_and_the_setup_code(tmp_path: Path) -> None:
    """R-002-27: an instance without users is greeted by the wizard; the code is the same after a restart."""
    folder = tmp_path / "config"
    codes = []
    for _ in range(2):
        with Served(folder, FRAMERR_SETUP_CODE="") as served:
            status, page = served.get("/setup/")
            assert (status, "setup code" in page.lower()) == (200, True)
            codes.append((folder / "setup-code.txt").read_text().strip())
            assert f"Setup code: {codes[-1]}" in served.log
            assert served.stop() == 0
    assert codes[0] == codes[1]


def test_sigterm_ends_with_0_and_leaves_nothing_open(folder: Path) -> None:
    with Served(folder) as served:
        assert served.stop() == 0
        assert "Stopping: SIGTERM" in served.log
    assert not list((folder / "data").glob("framerr.db-*"))
    assert json.loads((folder / ".framerr.lock").read_text())["socket"] is None


def test_ctrl_c_ends_with_0(folder: Path) -> None:
    with Served(folder) as served:
        served.signal(signal.SIGINT)
        assert served.ended() == 0
        assert "Traceback" not in served.log


def test_a_second_process_on_the_folder_is_refused(folder: Path) -> None:
    with Served(folder) as served:
        refused = framerr(folder, "serve", PORT=str(free_port()))
        assert refused.returncode == 5
        assert "Two processes on one folder would damage it" in refused.stderr
        assert str(served.process.pid) in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_a_sentence_and_touches_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = framerr(tmp_path / "config", "serve", PORT=port)
    assert (refused.returncode, refused.stderr) == (
        5,
        f"Port {port} is in use. Stop what listens there, or set PORT to another one.\n",
    )
    assert not (tmp_path / "config").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence_with_the_user(tmp_path: Path) -> None:
    """T38: exact path, user id."""
    refused = framerr(Path("/proc/framerr"), "serve", PORT=str(free_port()), cwd=tmp_path)
    assert refused.returncode == 8
    assert "/proc/framerr" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_two_different_keys_are_refused_with_both_fingerprints(folder: Path) -> None:
    key = InstanceKey.new()
    stored = InstanceKey.parse((folder / "keys" / "instance.key").read_text())
    refused = framerr(folder, "serve", SECRET_ENCRYPTION_KEY=key.raw.hex(), PORT=str(free_port()))
    assert refused.returncode == 2
    assert key.fingerprint in refused.stderr
    assert stored.fingerprint in refused.stderr
    assert key.raw.hex() not in refused.stderr


def test_a_wrong_key_locks_but_people_can_sign_in_and_nothing_runs(tmp_path: Path) -> None:
    with appliance_in(tmp_path, now=utcnow()) as appliance:
        set_up(appliance, now=utcnow())
        right = appliance.key
        with appliance.db.writing() as session:
            credential = {"api_key": "abc"}
            integrations.add(session, right, kind="framer", name="Shop", config={}, credential=credential, now=utcnow())
            schedule = schedules.get(session, "backup")
            assert schedule is not None
            schedule.next_due_at = utcnow() - timedelta(hours=1)
    folder, wrong = tmp_path / "config", InstanceKey.new()
    (folder / "keys" / "instance.key").write_text(wrong.raw.hex())
    with Served(folder) as served:
        assert f"sealed with the key {right.fingerprint}" in served.log
        assert served.get("/login")[0] == 200
        refused = framerr(folder, "backup", "create")
        assert refused.returncode == 4
        assert right.fingerprint in refused.stderr
        assert latest(folder, "housekeeping") is None
        assert served.stop() == 0
    assert [run.state for run in runs_of(folder)] == ["failed"]
    (folder / "keys" / "instance.key").write_text(right.raw.hex())
    assert as_json(framerr(folder, "backup", "create", "--json"))["name"].startswith("framerr-manual-")


def test_commands_go_through_the_running_process(folder: Path) -> None:
    with Served(folder) as served:
        made = as_json(framerr(folder, "backup", "create", "--json"))
        assert framerr(folder, "config", "set", "instance.name", "From outside").returncode == 0
        assert [one["name"] for one in as_json(framerr(folder, "backup", "list", "--json"))] == [made["name"]]
        assert framerr(folder, "backup", "verify", "nothing.zip").returncode == 3
        assert framerr(folder, "health", PORT=str(served.port)).stdout == "ready\n"
        checks = {one["check"]: one for one in as_json(framerr(folder, "doctor", "--json", PORT=str(served.port)))}
        assert (checks["process"]["state"], checks["database"]["state"]) == ("ok", "ok")
        assert f"process {served.process.pid}" in checks["process"]["found"]
        assert served.log.count("run finished") == 1
    assert {run.requested_by for run in runs_of(folder)} == {"command line"}


def test_a_command_while_another_one_has_the_folder_is_told_to_wait(folder: Path) -> None:
    lock = FolderLock(folder / ".framerr.lock")
    lock.take()
    try:
        refused = framerr(folder, "backup", "list")
    finally:
        lock.release()
    assert refused.returncode == 8
    assert "takes no commands" in refused.stderr


def test_what_was_due_while_it_was_down_is_caught_up_once(tmp_path: Path) -> None:
    """T27: down across ten due times, one catch-up soon after the boot, and the appliance answers first."""
    past = utcnow() - timedelta(days=10)
    with appliance_in(tmp_path, now=past) as appliance:
        set_up(appliance, now=past)
    folder = tmp_path / "config"
    with Served(folder):
        until(lambda: (run := latest(folder, "backup")) is not None and run.state == "done", "the catch-up")
    backups = [run for run in runs_of(folder) if run.kind == "backup"]
    assert [(run.trigger, run.state) for run in backups] == [("catch-up", "done")]
    assert len(list((folder / "backups").glob("framerr-scheduled-*.zip"))) == 1


def test_sigterm_during_a_backup_ends_it_at_a_safe_point(folder: Path) -> None:
    """The run is finished or interrupted, the process ends with 0 in time, nothing half is listed or left."""
    make_heavy(folder, 240)
    with Served(folder) as served:
        asking = ask_for_backup(folder)
        until(lambda: (run := latest(folder, "backup")) is not None and run.stage == "Packing", "packing")
        assert served.stop() == 0
        assert asking.wait(20) == (0 if (run := latest(folder, "backup")) and run.state == "done" else 8)
    run = latest(folder, "backup")
    assert run is not None
    assert run.state in {"interrupted", "done"}
    assert list((folder / "backups").glob(".*")) == []
    assert len(list((folder / "backups").glob("*.zip"))) == (run.state == "done")
    assert list((folder / "incoming" / "tmp").iterdir()) == []


def test_ctrl_c_cancels_a_command_on_a_stopped_instance(folder: Path) -> None:
    make_heavy(folder, 240)
    asking = ask_for_backup(folder)
    until(lambda: (run := latest(folder, "backup")) is not None and run.stage == "Packing", "packing")
    asking.send_signal(signal.SIGINT)
    assert asking.wait(40) == 10
    assert [run.state for run in runs_of(folder)] == ["cancelled"]
    assert list((folder / "backups").iterdir()) == list((folder / "incoming" / "tmp").iterdir()) == []


def test_ctrl_c_only_ends_the_following_of_a_running_instance(folder: Path) -> None:
    make_heavy(folder, 240)
    with Served(folder):
        asking = ask_for_backup(folder)
        until(lambda: (run := latest(folder, "backup")) is not None and run.stage == "Packing", "packing")
        asking.send_signal(signal.SIGINT)
        assert asking.wait(40) == 10
        until(lambda: (run := latest(folder, "backup")) is not None and run.state == "done", "the backup ends")


def test_a_killed_backup_is_interrupted_at_the_next_boot_and_leaves_nothing(folder: Path) -> None:
    """T03, T15: what was readable in the scratch folder is gone before the next boot answers."""
    make_heavy(folder, 240)
    with Served(folder) as served:
        asking = ask_for_backup(folder)
        until(lambda: (run := latest(folder, "backup")) is not None and run.stage == "Packing", "packing")
        served.kill()
        assert asking.wait(20) == 8
    assert list((folder / "incoming" / "tmp").iterdir()) != []
    with Served(folder):
        assert list((folder / "incoming" / "tmp").iterdir()) == []
        assert list((folder / "backups").iterdir()) == []
    run = latest(folder, "backup")
    assert run is not None
    assert run.state == "interrupted"
    assert as_json(framerr(folder, "backup", "list", "--json")) == []


def test_what_ended_badly_is_an_event(folder: Path) -> None:
    db = Database(folder / "data" / "framerr.db")
    with db.writing() as session:
        queue.enqueue(session, "backup", trigger="schedule", now=utcnow())
        queue.claim(session, utcnow())
    db.close()
    with Served(folder) as served:
        assert served.stop() == 0
    db = Database(folder / "data" / "framerr.db")
    with db.reading() as session:
        found = events.recent(session, kind="backup")
    db.close()
    assert [event.kind for event in found] == ["backup.failed"]
    assert "tried again in 5 minutes" in found[0].text
    states = [(run.state, run.trigger, run.attempt) for run in runs_of(folder) if run.kind == "backup"]
    assert states == [("interrupted", "schedule", 1), ("queued", "retry", 2)]


def test_the_demo_fills_an_empty_folder_once(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    passwords = []
    for _ in range(2):
        with Served(folder, "--demo") as served:
            passwords.append((folder / "demo-password.txt").read_text().strip())
            assert f"Password:      {passwords[-1]}" in served.log
            assert re.search(r"Next backup:   daily, next on \w+day at 4:00 AM \(UTC\)", served.log)
            assert served.get("/login")[0] == 200
            assert served.stop() == 0
    assert passwords[0] == passwords[1]
    assert (folder / "demo-password.txt").stat().st_mode & 0o777 == 0o600
    assert [one["state"] for one in as_json(framerr(folder, "backup", "list", "--json"))] == ["good"]
    first = latest(folder, "backup")
    assert first is not None, "Activity has something to show"
    assert (first.state, first.requested_by) == ("done", "admin")


def test_an_instance_of_ones_own_is_no_demo(folder: Path) -> None:
    refused = framerr(folder, "serve", "--demo", PORT=str(free_port()))
    assert refused.returncode == 5
    assert "is not a demo" in refused.stderr


def test_no_secret_reaches_the_log(folder: Path) -> None:
    key = (folder / "keys" / "instance.key").read_text().strip()
    with Served(folder, FRAMERR_LOG_LEVEL="DEBUG") as served:
        framerr(folder, "reset-password", "admin", "--stdin", stdin=f"{PASSWORD} again\n")
        as_json(framerr(folder, "backup", "create", "--json"))
        assert served.stop() == 0
        assert key not in served.log
        assert PASSWORD not in served.log
    assert environment(folder)["FRAMERR_SETUP_CODE"] == "off"
