"""T03, T12: killed anywhere, a backup leaves the old ones and nothing readable; writers do not notice one."""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from framerr.appliance import Appliance
from framerr.backups import folder, shelf, verify
from framerr.core.paths import Paths
from framerr.jobs.progress import Progress
from framerr.observability import events
from tests.backups.filled import SECRETS, contains, fill, make_backup
from tests.factories import NOW, appliance_in
from tests.torture.backup_parts import copied, run, run_killed, swell

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with a database of 240 MB and one good backup."""
    root = tmp_path_factory.mktemp("large")
    with appliance_in(root) as appliance:
        fill(appliance)
        swell(appliance.db, 240)
        assert appliance.paths.database.stat().st_size > 230_000_000
    return root


def visible(paths: Paths) -> set[str]:
    return {path.name for path in paths.backups.iterdir() if not path.name.startswith(".")}


def test_killed_at_twenty_points(large: Path, tmp_path: Path) -> None:
    """T03: previous backups intact, only a part left, swept at boot, no plaintext anywhere, the next run succeeds."""
    paths = copied(large, tmp_path / "it")
    before = {path: path.read_bytes() for path in paths.backups.iterdir()}
    begin = time.monotonic()
    assert run("backup", tmp_path / "it").stdout.splitlines()[-1].startswith("made ")
    whole = time.monotonic() - begin
    (made,) = visible(paths) - {path.name for path in before}
    (paths.backups / made).unlink()
    chance = random.Random(3)

    stages = set()
    for point in range(20):
        said = run_killed(whole * chance.uniform(0.01, 0.95) * 0.8, "backup", tmp_path / "it")
        stages.add(said.splitlines()[-1].split(" ")[0])
        finished = visible(paths) - {path.name for path in before}
        for name in finished:  # killed after it got its name: then it is whole
            assert verify.verify_archive(paths.backups / name, Progress()).state == "good"
            (paths.backups / name).unlink()
        assert all(path.read_bytes() == data for path, data in before.items()), point
        if point % 5 == 4:
            assert run("boot", tmp_path / "it").returncode == 0
            assert not [path for path in paths.backups.iterdir() if path.name.startswith(".")]
            assert not list(paths.tmp.iterdir())
            for secret in SECRETS:
                assert contains(paths.data, secret.encode()) == contains(paths.incoming, secret.encode()) == []
    assert len(stages) >= 3, stages
    assert run("backup", tmp_path / "it").returncode == 0


@pytest.fixture(scope="module")
def middling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with appliance_in(tmp_path_factory.mktemp("middling")) as appliance:
        fill(appliance)
        swell(appliance.db, 160)
        yield appliance


def test_a_writer_every_two_milliseconds_does_not_notice(middling: Appliance) -> None:
    """T12: done in time, the copy passes its check, no writer fails or stalls."""
    done = threading.Event()
    waits: list[float] = []
    faults: list[BaseException] = []

    def write() -> None:
        while not done.is_set():
            begin = time.monotonic()
            try:
                with middling.db.writing() as session:
                    events.record(session, "written", text="x", now=NOW)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
                faults.append(error)
            waits.append(time.monotonic() - begin)
            time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        begin = time.monotonic()
        row = make_backup(middling)
        took = time.monotonic() - begin
    finally:
        done.set()
        writer.join()

    waits.sort()
    print(f"{took:.2f} s, {len(waits)} writes, median {waits[len(waits) // 2]:.4f} s, longest {waits[-1]:.4f} s")
    assert faults == []
    assert took < 5 * slowness()
    assert waits[int(len(waits) * 0.99)] < 0.1 * slowness()
    assert verify.verify_archive(folder.file_of(middling.paths, row), Progress()).state == "good"


def slowness() -> float:
    """How much of this machine others use now: times are told for an idle one."""
    return max(1.0, os.getloadavg()[0])


def test_memory_does_not_grow_with_the_database(large: Path, tmp_path: Path) -> None:
    """Flat: 240 MB cost no more than 48 MiB, made and staged."""
    paths = copied(large, tmp_path / "it")

    made = run("backup", tmp_path / "it").stdout.splitlines()[-1]
    (name,) = [word for word in made.split() if word.endswith(".zip")]
    staged = run("stage", tmp_path / "it", paths.backups / name).stdout.splitlines()[-1]

    print(made, "·", staged)
    assert int(made.split()[-1]) < 48 * 1024
    assert int(staged.split()[-1]) < 64 * 1024


def test_other_tools_open_what_we_make(middling: Appliance) -> None:
    path = folder.file_of(middling.paths, make_backup(middling))

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    assert subprocess.run(["unzip", "-tqq", path], check=False).returncode == 0
    shelf.sweep(middling.paths.backups)
    assert path.exists()
