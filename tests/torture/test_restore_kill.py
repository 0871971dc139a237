"""T15: killed anywhere while a restore is prepared, put in or given back, the next boots end wholly old or wholly new."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.backups import folder, restore, swap
from framerr.core.db import open_file
from framerr.core.paths import Paths
from framerr.jobs.progress import Progress
from tests.backups.filled import SECRETS, contains, fill, make_backup
from tests.factories import NOW, appliance_in
from tests.torture.backup_parts import STRACE, copied, run, run_killed, swell, system_calls

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1800)]

CHANGES = "rename,renameat,renameat2,unlink,unlinkat,mkdir,rmdir"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance whose archive says "archived" where the live state says "live"."""
    root = tmp_path_factory.mktemp("instance")
    with appliance_in(root) as appliance:
        fill(appliance)
        swell(appliance.db, 20)
        mark(appliance, "archived")
        row = make_backup(appliance)
        shutil.copyfile(folder.file_of(appliance.paths, row), root / "upload.zip")
        mark(appliance, "live")
    return root


def mark(appliance: Appliance, word: str) -> None:
    """Say in the database and in a file which state this is."""
    with appliance.db.writing() as session:
        user = users.find_by_username(session, "ada")
        assert user is not None
        user.display_name = word
    (appliance.paths.custom_icons / "state.txt").write_text(word)


def state_of(paths: Paths) -> tuple[str, str]:
    with open_file(paths.database, read_only=True) as connection:
        assert connection.exec_driver_sql("PRAGMA quick_check").scalar_one() == "ok"
        name = connection.exec_driver_sql("SELECT display_name FROM users WHERE username = 'ada'").scalar_one()
    return str(name), (paths.custom_icons / "state.txt").read_text()


BOOT = "tests.torture.restore_boot"
OLD, NEW = ("live", "live"), ("archived", "archived")


def test_killed_at_twenty_points_of_staging(instance: Path, tmp_path: Path) -> None:
    """The live state is untouched; what was readable is swept; the restore can be repeated."""
    root = tmp_path / "it"
    paths = copied(instance, root)
    begin = time.monotonic()
    assert run("stage", root, root / "upload.zip").returncode == 0
    whole = time.monotonic() - begin
    paths.restore_pending.unlink()
    chance = random.Random(15)

    for _ in range(20):
        said = run_killed(whole * chance.uniform(0.0, 0.8), "stage", root, root / "upload.zip")
        if "staged" in said or swap.state(paths) == "pending":
            paths.restore_pending.unlink()
        assert state_of(paths) == OLD
        assert run("boot", root).returncode == 0
        assert state_of(paths) == OLD
        assert not list(paths.staging.iterdir())
        for secret in SECRETS:
            assert contains(paths.data, secret.encode()) == contains(paths.incoming, secret.encode()) == []

    assert run("stage", root, root / "upload.zip").returncode == 0
    assert run("boot", root).returncode == 0
    assert state_of(paths) == NEW


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small instance with a restore that waits for the next boot."""
    root = tmp_path_factory.mktemp("staged")
    with appliance_in(root) as appliance:
        fill(appliance)
        mark(appliance, "archived")
        row = make_backup(appliance)
        mark(appliance, "live")
        source = folder.file_of(appliance.paths, row)
        restore.stage(appliance.db, appliance.paths, appliance.key, source, progress=Progress(), now=NOW)
    return root


@pytest.mark.skipif(STRACE is None, reason="strace kills at a system call")
def test_killed_at_every_change_of_the_folder(staged: Path, tmp_path: Path) -> None:
    """The boot that puts the state in, and the one that gives it back, each killed before its n-th change of a file."""
    on_trial = tmp_path / "on-trial"
    shutil.copytree(staged, on_trial)
    assert exchange(on_trial) == exchange(on_trial) == 0
    assert swap.state(Paths(on_trial / "config")) == "trial"

    for begin, wanted in ((staged, {OLD, NEW}), (on_trial, {OLD})):
        log = tmp_path / "calls"
        shutil.copytree(begin, tmp_path / "counted")
        calls = system_calls(CHANGES, log, BOOT, tmp_path / "counted")
        shutil.rmtree(tmp_path / "counted")
        ends = set()
        assert ("rename", 4) in calls
        for name, number in calls:
            root = tmp_path / "it"
            paths = copied(begin, root)
            assert exchange(root, "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}") != 0
            assert exchange(root) == 0, (name, number)
            state = state_of(paths)
            assert state in wanted, (name, number)
            ends.add(state)
            swap.confirm(paths, NOW)
            assert state_of(paths) == state, (name, number)
            shutil.rmtree(root)
        assert ends == ({NEW} if begin is staged else {OLD})


def exchange(root: Path, *strace: str) -> int:
    """Make the folders and look at the markers in a process of its own, with faults put in; how it ended."""
    return run(BOOT, root, strace=strace).returncode
