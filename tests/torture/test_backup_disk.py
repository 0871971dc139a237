"""T04, T05: a disk that is full or fails at each step is a sentence; the old set stays; the next run succeeds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from framerr.appliance import Appliance
from framerr.backups import create, folder, restore, swap
from framerr.backups.models import Backup
from framerr.core.db import Database, look_into
from framerr.core.errors import DiskFull, Unavailable
from framerr.jobs.progress import Progress
from tests.backups.filled import fill, make_backup
from tests.factories import NOW, appliance_in
from tests.torture.backup_parts import STRACE, copied, fill_disk, run, small_disk, swell

pytestmark = [
    pytest.mark.torture,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root"),
]


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Iterator[Appliance]:
    """An instance with 30 MB of database, all of it on a disk of 420 MB."""
    with ExitStack() as stack:
        root = stack.enter_context(small_disk(tmp_path / "disk", "420m"))
        appliance = stack.enter_context(appliance_in(root))
        fill(appliance)
        swell(appliance.db, 30)
        yield appliance


class FillAt(Progress):
    """Fills the disk when a stage begins."""

    def __init__(self, stage: str, disk: Path) -> None:
        self.wanted, self.disk = stage, disk
        self.filler: Path | None = None

    def stage(self, name: str, *_size: object) -> None:
        if name == self.wanted and self.filler is None:
            self.filler = fill_disk(self.disk)


@pytest.mark.parametrize("stage", ["Copying the database", "Making credentials portable", "Packing"])
def test_a_disk_that_fills_meanwhile_is_named(on_small_disk: Appliance, stage: str) -> None:
    paths = on_small_disk.paths
    before = {path.name: path.read_bytes() for path in paths.backups.iterdir()}
    filling = FillAt(stage, paths.root)

    with pytest.raises(DiskFull, match="disk is full") as failure:
        create.create_backup(on_small_disk.db, paths, on_small_disk.key, type="manual", progress=filling, now=NOW)

    assert str(paths.root) in failure.value.message
    assert {path.name: path.read_bytes() for path in paths.backups.iterdir()} == before
    assert not list(paths.tmp.iterdir())
    assert filling.filler is not None
    filling.filler.unlink()
    assert make_backup(on_small_disk).state == "good"


@pytest.mark.parametrize("stage", ["Unpacking", "Compacting the database"])
def test_a_disk_that_fills_during_a_restore_changes_nothing(on_small_disk: Appliance, stage: str) -> None:
    paths = on_small_disk.paths
    source = folder.file_of(paths, make_backup(on_small_disk))
    filling = FillAt(stage, paths.root)

    with pytest.raises(DiskFull):
        restore.stage(on_small_disk.db, paths, on_small_disk.key, source, progress=filling, now=NOW)

    assert swap.state(paths) is None
    assert not list(paths.staging.iterdir())
    assert filling.filler is not None
    filling.filler.unlink()
    restore.stage(on_small_disk.db, paths, on_small_disk.key, source, progress=Progress(), now=NOW)
    assert swap.state(paths) == "pending"


def test_a_target_of_one_megabyte(tmp_path: Path) -> None:
    """T05: refused before anything is written, with what is needed and what is free; old sets elsewhere untouched."""
    with appliance_in(tmp_path) as appliance:
        fill(appliance)
        old = {path.name for path in appliance.paths.backups.iterdir()}
        with small_disk(appliance.paths.backups, "1m"):
            for _ in range(10):
                with pytest.raises(DiskFull, match=r"MB are needed") as failure:
                    make_backup(appliance)
                assert failure.value.path == appliance.paths.backups
                assert list(appliance.paths.backups.iterdir()) == []
        assert {path.name for path in appliance.paths.backups.iterdir()} == old
        assert isinstance(make_backup(appliance), Backup)


def test_a_database_on_a_full_disk_says_that_it_is_full(tmp_path: Path) -> None:
    """T04: SQLite calls it an input/output error when the file that it cannot grow is one of its own beside."""
    with appliance_in(tmp_path) as appliance, small_disk(tmp_path / "disk", "1m") as disk:
        appliance.db.close()
        live = shutil.copyfile(appliance.paths.database, disk / "framerr.db")
        filler = fill_disk(disk)
        db = Database(live)

        with pytest.raises(DiskFull, match=str(live)), look_into(live):
            pass
        with pytest.raises(DiskFull, match=str(live)), db.writing() as session:
            session.connection().exec_driver_sql("DELETE FROM settings")

        filler.unlink()
        with db.writing() as session:
            session.connection().exec_driver_sql("DELETE FROM settings")
        db.close()


def test_no_inode_left_for_the_part(tmp_path: Path) -> None:
    """T04: ENOSPC when the file is opened."""
    with appliance_in(tmp_path) as appliance, small_disk(appliance.paths.backups, "420m,nr_inodes=1"):
        fill_error = None
        try:
            make_backup(appliance, type="safety")
        except DiskFull as error:
            fill_error = error
        assert fill_error is not None
        assert str(appliance.paths.backups) in fill_error.message


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("plain")
    with appliance_in(root) as appliance:
        fill(appliance)
    return root


@pytest.mark.skipif(STRACE is None, reason="strace puts the faults in")
@pytest.mark.parametrize("errno", ["ENOSPC", "EIO", "EDQUOT", "ESTALE", "EHOSTDOWN"])
@pytest.mark.parametrize("call", ["link,linkat", "fsync:when=folder", "fsync:when=part"])
def test_a_fault_of_the_last_steps_leaves_no_name(plain: Path, tmp_path: Path, call: str, errno: str) -> None:
    """T04, T39: at the naming, at the sync of the part, at the sync of the folder."""
    paths = copied(plain, tmp_path / "it")
    before = {path.name for path in paths.backups.iterdir()}
    name, _, when = call.partition(":when=")
    watched = {"": (), "part": ("-P", str(part_of(paths.backups))), "folder": ("-P", str(paths.backups))}[when]

    done = run(
        "backup", tmp_path / "it", strace=(*watched, "-e", f"trace={name}", "-e", f"inject={name}:error={errno}")
    )

    assert done.returncode == 3, done.stdout + done.stderr
    kind = "DiskFull" if errno in {"ENOSPC", "EDQUOT"} else "Unavailable"
    assert done.stdout.splitlines()[-1].startswith(f"refused {kind}: ")
    assert str(paths.backups) in done.stdout
    assert {path.name for path in paths.backups.iterdir()} == before
    assert not list(paths.tmp.iterdir())
    assert run("backup", tmp_path / "it").returncode == 0


@pytest.mark.skipif(STRACE is None, reason="strace puts the faults in")
def test_a_restore_that_cannot_be_announced_for_good_is_not_pending(plain: Path, tmp_path: Path) -> None:
    """The marker has its name already when making that name durable fails: told as failed, it must not happen."""
    paths = copied(plain, tmp_path / "it")
    (source,) = paths.backups.glob("*.zip")
    faults = ("-P", str(paths.root), "-e", "trace=fsync", "-e", "inject=fsync:error=EIO")

    done = run("stage", tmp_path / "it", source, strace=faults)

    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("refused Unavailable: ")
    assert swap.state(paths) is None
    assert not list(paths.staging.iterdir())
    assert run("stage", tmp_path / "it", source).returncode == 0


def part_of(backups: Path) -> Path:
    return backups / ".framerr-manual-2026-03-10T12-00-00Z.zip.part"


@pytest.mark.skipif(STRACE is None, reason="strace takes the links away")
@pytest.mark.parametrize("errno", ["EPERM", "EOPNOTSUPP"])
def test_a_share_without_links_works_too(plain: Path, tmp_path: Path, errno: str) -> None:
    """exFAT and some network shares: the part is renamed instead, still over nothing."""
    paths = copied(plain, tmp_path / "it")
    before = {path.name for path in paths.backups.iterdir()}
    faults = ("-e", "trace=link,linkat", "-e", f"inject=link,linkat:error={errno}")

    first = run("backup", tmp_path / "it", strace=faults)
    second = run("backup", tmp_path / "it", strace=faults)

    assert (first.returncode, second.returncode) == (0, 0)
    assert {path.name for path in paths.backups.iterdir()} - before == {
        "framerr-manual-2026-03-10T12-00-00Z.zip",
        "framerr-manual-2026-03-10T12-00-00Z-2.zip",
    }


def test_a_read_only_folder_is_a_sentence(plain: Path, tmp_path: Path) -> None:
    """T38: the path and the fix."""
    paths = copied(plain, tmp_path / "it")
    shutil.rmtree(paths.backups)
    with (
        small_disk(paths.backups, "300m,ro"),
        appliance_in(tmp_path / "it") as appliance,
        pytest.raises(Unavailable, match="read-only") as failure,
    ):
        make_backup(appliance)

    assert str(paths.backups) in failure.value.message
