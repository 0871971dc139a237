"""T15, T16: a real `framerr serve`, killed anywhere, comes back wholly old or wholly new, with nothing readable left."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from framerr.backups import swap, verify
from framerr.backups.models import RESTORED, RETURNED
from framerr.core.clock import utcnow
from framerr.core.db import Database
from framerr.core.paths import Paths
from framerr.jobs.progress import Progress
from framerr.observability import events
from tests.backups.filled import SECRETS, contains, fill
from tests.factories import appliance_in
from tests.processes import Served, as_json, environment, framerr, until
from tests.torture.backup_parts import swell

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1800)]
OLD, NEW = "The state before", "Studio server"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose archive `upload.zip` holds another name than the folder does now."""
    root = tmp_path_factory.mktemp("instance")
    with appliance_in(root, now=utcnow()) as appliance:
        fill(appliance, utcnow())
        swell(appliance.db, 12)
    made = as_json(framerr(root / "config", "backup", "create", "--json"))
    shutil.copyfile(root / "config" / "backups" / made["name"], root / "upload.zip")
    assert framerr(root / "config", "config", "set", "instance.name", OLD).returncode == 0
    return root


def fresh(instance: Path, tmp_path: Path) -> Path:
    """A new copy of the folder."""
    shutil.rmtree(tmp_path / "it", ignore_errors=True)
    shutil.copytree(instance / "config", tmp_path / "it" / "config")
    return tmp_path / "it" / "config"


def ask(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "framerr", *command],
        env=environment(folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=folder.parent,
    )  # fmt: skip


def require_clean(folder: Path) -> None:
    """Nothing half is named, listed backups are whole, and no credential is readable outside of archives."""
    paths = Paths(folder)
    assert [path.name for path in paths.backups.iterdir() if path.name.startswith(".")] == []
    for path in paths.backups.iterdir():
        assert verify.verify_archive(path, Progress()).state == "good"
    assert list(paths.tmp.iterdir()) == []
    for secret in SECRETS:
        for place in (paths.incoming, paths.data):
            assert contains(place, secret.encode()) == []


def test_killed_while_backing_up(instance: Path, tmp_path: Path) -> None:
    """T03 with the whole appliance around it, ten times on one folder."""
    folder, chance = fresh(instance, tmp_path), random.Random(1)
    for _ in range(10):
        with Served(folder) as served:
            asking = ask(folder, "backup", "create")
            time.sleep(chance.uniform(0.3, 2.5))
            served.kill()
            asking.wait(30)
        with Served(folder) as served:
            require_clean(folder)
            assert served.stop() == 0
    assert as_json(framerr(folder, "backup", "create", "--json"))["name"].startswith("framerr-manual-")


def test_killed_while_restoring(instance: Path, tmp_path: Path) -> None:
    """Anywhere from the request over staging and the restart to the first boot after it."""
    chance, ends = random.Random(2), set()
    for _ in range(20):
        folder = fresh(instance, tmp_path)
        with Served(folder) as served:
            asking = ask(folder, "restore", str(instance / "upload.zip"), "--yes")
            time.sleep(chance.uniform(0.5, 5.0))
            served.kill()
            asking.wait(30)
        with Served(folder) as served:
            name = framerr(folder, "config", "get", "instance.name").stdout.strip()
            require_clean(folder)
            assert name in {OLD, NEW}
            assert swap.state(Paths(folder)) == (None if name == OLD else "trial")
            ends.add(name)
            assert served.stop() == 0
    assert ends == {OLD, NEW}


def test_killed_while_booting_on_trial(instance: Path, tmp_path: Path) -> None:
    """Boots that are cut off count: after the third the previous state is back, never a mixture."""
    chance = random.Random(3)
    for _ in range(6):
        folder = fresh(instance, tmp_path)
        assert framerr(folder, "restore", str(instance / "upload.zip"), "--yes").returncode == 0
        for _ in range(4):
            served = Served(folder)
            time.sleep(chance.uniform(0.0, 1.5))
            served.kill()
        with Served(folder) as served:
            name = framerr(folder, "config", "get", "instance.name").stdout.strip()
            require_clean(folder)
            assert swap.state(Paths(folder)) == {OLD: None, NEW: "trial"}[name]
            assert served.stop() == 0


def test_a_first_boot_that_is_killed_is_begun_again(tmp_path: Path) -> None:
    chance = random.Random(4)
    folder = tmp_path / "config"
    for _ in range(12):
        served = Served(folder, FRAMERR_SETUP_CODE="")
        time.sleep(chance.uniform(0.0, 1.5))
        served.kill()
    with Served(folder, FRAMERR_SETUP_CODE="") as served:
        assert served.get("/setup/")[0] == 200
        assert served.stop() == 0
    assert (folder / "setup-code.txt").read_text().strip() in served.log


def told(folder: Path, kind: str) -> int:
    db = Database(folder / "data" / "framerr.db")
    try:
        with db.reading() as session:
            return len(events.recent(session, kind=kind))
    finally:
        db.close()


def test_a_minute_of_readiness_confirms(instance: Path, tmp_path: Path) -> None:
    folder = fresh(instance, tmp_path)
    assert framerr(folder, "restore", str(instance / "upload.zip"), "--yes").returncode == 0
    with Served(folder) as served:
        until(lambda: swap.state(Paths(folder)) is None, "the trial ends", patience=120)
        assert served.stop() == 0
    assert told(folder, RESTORED) == 1
    assert (folder / "data.before").is_dir()
    assert framerr(folder, "config", "get", "instance.name").stdout.strip() == NEW


def test_a_minute_without_readiness_gives_the_previous_state_back(instance: Path, tmp_path: Path) -> None:
    """T16: somebody else holds the database's write lock for minutes, so the scheduler does not tick."""
    folder = fresh(instance, tmp_path)
    assert framerr(folder, "restore", str(instance / "upload.zip"), "--yes").returncode == 0
    with Served(folder) as served:
        blocker = Database(folder / "data" / "framerr.db")
        with blocker.writing():
            until(lambda: swap.state(Paths(folder)) is None, "the previous state is back", patience=400)
        blocker.close()
        served.until_ready()
        assert framerr(folder, "config", "get", "instance.name").stdout.strip() == OLD
        assert served.stop() == 0
    assert told(folder, RETURNED) == 1
