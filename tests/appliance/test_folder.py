"""Taking possession of a folder: locked, writable, swept, with temporary files inside it."""

from __future__ import annotations

import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from framerr.appliance import folder
from framerr.console.listener import NAME
from framerr.core.errors import Conflict, Unavailable
from framerr.core.lock import FolderLock
from framerr.core.paths import Paths


@pytest.fixture(autouse=True)
def _restored_tempdir() -> Iterator[None]:
    before = tempfile.tempdir
    yield
    tempfile.tempdir = before


def test_everything_is_made_private_and_temporary_files_stay_inside(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "deep" / "config")
    lock = folder.open_folder(paths)
    try:
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.required(paths)}
        assert set(modes.values()) == {0o700}
        with tempfile.NamedTemporaryFile() as scratch:
            assert Path(scratch.name).is_relative_to(paths.tmp)
    finally:
        lock.release()


def test_a_second_process_is_refused_in_words(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    lock = folder.open_folder(paths)
    with pytest.raises(Conflict, match="Two processes on one folder would damage it"):
        folder.open_folder(paths)
    lock.release()


def test_what_was_half_written_is_swept_and_nothing_else(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()
    left = [
        paths.keys / ".instance.key.0123abcd.part",
        paths.root / ".restore.trial.deadbeef.part",
        paths.favicon / ".favicon.png.00000000.part",
        paths.custom_icons / f".{'a' * 32}.png.12345678.part",
    ]
    stays = [
        paths.keys / "instance.key",
        paths.root / ".framerr.lock",
        paths.root / ".notes.part",
        paths.root / "mine.0123abcd.part",
        paths.backups / ".framerr-manual-2026-03-10T12-00-00Z.zip.part",
    ]
    for path in left + stays:
        path.write_bytes(b"x")

    folder.sweep(paths)

    assert [path for path in left if path.exists()] == []
    assert [path for path in stays if not path.exists()] == []


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """T38: the path is named."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match=str(tmp_path / "file")):
        folder.open_folder(Paths(tmp_path / "file" / "config"))


def test_a_refused_folder_is_not_left_locked(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.root.mkdir(exist_ok=True)
    (tmp_path / "data").write_bytes(b"in the way")
    with pytest.raises(Unavailable):
        folder.open_folder(paths)
    (tmp_path / "data").unlink()
    folder.open_folder(paths).release()


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()
    (paths.tmp / "backup-x").mkdir()
    (paths.tmp / "backup-x" / "framerr.db").write_bytes(b"readable credentials")
    (paths.staging / "data").mkdir()
    (paths.uploads / "kept.zip").write_bytes(b"half an upload")
    folder.sweep(paths)
    assert [list(one.iterdir()) for one in (paths.tmp, paths.staging)] == [[], []]
    assert (paths.uploads / "kept.zip").exists()


def test_one_file_system_is_one(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()
    assert folder.spread(paths) is None
    assert list(tmp_path.rglob(".probe-*")) == []


def test_a_folder_that_lies_elsewhere_is_named(tmp_path: Path) -> None:
    """A restore moves whole folders, which only works within one file system."""
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to try with")
    paths = Paths(tmp_path)
    paths.prepare()
    for inner in sorted(paths.data.iterdir()):
        inner.rmdir()
    paths.data.rmdir()
    with tempfile.TemporaryDirectory(dir=elsewhere) as other:
        paths.data.symlink_to(other)
        with pytest.raises(Unavailable, match="must be on one"):
            folder.open_folder(paths)


def test_the_socket_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config")
    folder.open_folder(paths).release()
    left = Path(tempfile.mkdtemp(prefix="framerr-", dir="/tmp"))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left / NAME))
    killed = FolderLock(paths.lock)
    killed.take()
    killed.describe(socket=str(left / NAME))
    killed.release()
    folder.open_folder(paths).release()
    assert not left.exists()
