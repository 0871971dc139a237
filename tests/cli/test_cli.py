"""Commands as a person runs them: exit codes, sentences, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from framerr.cli import COMMANDS, EXIT_CODES, exit_code
from framerr.core import errors
from framerr.core.clock import utcnow
from framerr.core.db import Database
from framerr.jobs import queue
from tests.factories import PASSWORD, appliance_in, set_up
from tests.processes import as_json, environment, framerr, free_port


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of a stopped instance with an administrator."""
    with appliance_in(tmp_path) as appliance:
        set_up(appliance)
    return tmp_path / "config"


def says(done: subprocess.CompletedProcess[str], code: int, words: str) -> None:
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr


def test_help_tells_every_command_and_exit_code(tmp_path: Path) -> None:
    done = framerr(tmp_path / "config", "--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    for code, words in EXIT_CODES.values():
        assert f"{code:>4}  {words}" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(tmp_path: Path, command: str) -> None:
    done = framerr(tmp_path / "config", command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: framerr")
    assert done.stderr == ""


def test_every_category_of_error_has_an_exit_code_of_its_own() -> None:
    codes = [exit_code(kind("x")) for kind in (errors.FramerrError, *errors.FramerrError.__subclasses__())]
    assert sorted(codes) == list(range(1, 11))
    assert exit_code(errors.DiskFull("x", path=Path("/"))) == exit_code(errors.Unavailable("x"))


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    done = framerr(tmp_path / "config", "backup", "nonsense")
    says(done, 2, "No such command")


def test_a_bad_setting_is_a_sentence(tmp_path: Path) -> None:
    says(framerr(tmp_path / "config", "serve", PORT="many"), 2, "PORT must be a whole number")
    assert not (tmp_path / "config").exists()


def test_the_environment_is_listed_with_its_secrets_marked(tmp_path: Path) -> None:
    found = {one["name"]: one for one in as_json(framerr(tmp_path / "config", "config", "env", "--json"))}
    assert found["SECRET_ENCRYPTION_KEY"]["from_file"] is True
    assert found["PORT"]["from_file"] is False


def test_settings_are_listed_read_and_changed(folder: Path) -> None:
    """R-002-10: Max backups is 1 to 30 for a command, too."""
    assert {one["key"] for one in as_json(framerr(folder, "config", "list", "--json"))} >= {"backups.max"}
    assert framerr(folder, "config", "set", "backups.max", "12").stdout == "backups.max is now 12.\n"
    assert framerr(folder, "config", "get", "backups.max").stdout == "12\n"
    for refused in ("0", "-1", "31", "", "many"):
        says(framerr(folder, "config", "set", "backups.max", "--", refused), 2, "from 1 to 30")
    assert framerr(folder, "config", "get", "backups.max").stdout == "12\n"
    says(framerr(folder, "config", "get", "no.such"), 2, "There is no setting named no.such")


def test_a_backup_is_made_listed_verified_inspected_and_deleted(folder: Path) -> None:
    made = as_json(framerr(folder, "backup", "create", "--note", "by hand", "--json"))
    listed = as_json(framerr(folder, "backup", "list", "--json"))
    assert [(one["name"], one["state"], one["note"]) for one in listed] == [(made["name"], "good", "by hand")]
    assert framerr(folder, "backup", "verify", made["name"]).stdout.startswith(f"{made['name']} is good.")
    inside = as_json(framerr(folder, "backup", "inspect", made["name"], "--json"))
    assert {line["name"]: line["count"] for line in inside["comes_back"]}["Users"] == 1
    assert framerr(folder, "backup", "delete", made["name"], "--yes").returncode == 0
    assert list((folder / "backups").iterdir()) == []


def enqueue(folder: Path, kind: str, **params: str) -> None:
    """What a process that was killed left waiting."""
    db = Database(folder / "data" / "framerr.db")
    with db.writing() as session:
        later = utcnow() + timedelta(hours=1)
        queue.enqueue(session, kind, params=params, trigger="retry", not_before=later, now=utcnow())
    db.close()


def test_a_backup_that_was_waiting_is_said_to_be_that_one(folder: Path) -> None:
    """Its type and note are its own."""
    enqueue(folder, "backup")
    done = framerr(folder, "backup", "create", "--note", "by hand")
    assert done.stdout.startswith("framerr-scheduled-")
    assert "waiting for its next try, already, so your note is not in it." in done.stdout
    assert as_json(framerr(folder, "backup", "create", "--json"))["joined"] is False


def test_a_restore_that_was_waiting_is_not_taken_for_the_one_asked_for(folder: Path) -> None:
    enqueue(folder, "restore", file="/nowhere/another.zip")
    made = as_json(framerr(folder, "backup", "create", "--json"))
    done = as_json(framerr(folder, "restore", made["name"], "--yes", "--json"))
    assert (done["name"], done["what"].startswith(made["name"])) == (made["name"], True)


def test_deleting_asks_first(folder: Path) -> None:
    made = as_json(framerr(folder, "backup", "create", "--json"))
    done = framerr(folder, "backup", "delete", made["name"], stdin="n\n")
    says(done, 10, "Cancelled.")
    assert (folder / "backups" / made["name"]).exists()


def test_a_damaged_backup_exits_with_7(folder: Path) -> None:
    made = as_json(framerr(folder, "backup", "create", "--json"))
    file = folder / "backups" / made["name"]
    bytes_before = bytearray(file.read_bytes())
    bytes_before[200] ^= 0xFF
    file.write_bytes(bytes_before)
    says(framerr(folder, "backup", "verify", made["name"]), 7, "Use another backup")


def test_a_backup_that_is_not_there_exits_with_3(folder: Path) -> None:
    says(framerr(folder, "backup", "verify", "nothing.zip"), 3, "There is no backup named nothing.zip")
    says(framerr(folder, "backup", "inspect", "/nowhere/nothing.zip"), 3, "nothing.zip")


def test_nothing_is_backed_up_before_setup(tmp_path: Path) -> None:
    says(framerr(tmp_path / "config", "backup", "create"), 5, "has no users")


def test_a_file_that_is_no_backup_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    strange = tmp_path / "holiday.zip"
    strange.write_bytes(b"not a zip at all")
    done = framerr(folder, "restore", str(strange), "--yes")
    says(done, 2, "")
    assert not (folder / "restore.pending").exists()
    assert list((folder / "backups").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused as root")
def test_root_leaves_no_file_in_a_stopped_instance_of_somebody_else(folder: Path) -> None:
    """`sudo framerr restore` would bring back a state that the appliance cannot read."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 1234, 1234)
    for command in (("backup", "create"), ("restore", "x.zip", "--yes"), ("serve",), ("config", "list")):
        says(framerr(folder, *command, PORT=str(free_port())), 4, "sudo -u '#1234' env FRAMERR_CONFIG_DIR=")
    assert {path.lstat().st_uid for path in (folder, *folder.rglob("*"))} == {1234}
    assert framerr(folder, "doctor", PORT=str(free_port())).returncode in {0, 1}


def test_a_password_is_reset_from_standard_input(folder: Path) -> None:
    done = framerr(folder, "reset-password", "ADMIN", "--stdin", stdin="another long password\n")
    assert done.stdout == "admin has a new password. 0 sessions were ended.\n"
    says(framerr(folder, "reset-password", "admin", "--stdin", stdin="short\n"), 2, "at least 10")
    says(framerr(folder, "reset-password", "admin", "--stdin", stdin=""), 2, "held no password")
    says(framerr(folder, "reset-password", "nobody", "--stdin", stdin=PASSWORD), 3, "There is no user named nobody")


def test_health_says_that_nothing_answers(tmp_path: Path) -> None:
    done = framerr(tmp_path / "config", "health", PORT="1")
    assert done.returncode == 1
    assert "Nothing answers on 127.0.0.1 port 1" in done.stdout


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    command = f"{sys.executable} -m framerr config env | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command], env=environment(folder), capture_output=True, text=True, check=False, timeout=40
    )
    assert done.stderr == ""
    assert done.stdout.startswith("variable")
