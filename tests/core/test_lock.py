"""One process per folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from framerr.core.errors import Conflict
from framerr.core.lock import FolderLock, holder


def test_a_second_holder_is_refused_in_words(tmp_path: Path) -> None:
    first = FolderLock(tmp_path / "lock")
    first.take()

    with pytest.raises(Conflict) as refused:
        FolderLock(tmp_path / "lock").take()

    assert str(tmp_path) in refused.value.message
    assert f"process {os.getpid()}" in refused.value.message
    first.release()


def test_a_released_folder_can_be_taken_again(tmp_path: Path) -> None:
    first = FolderLock(tmp_path / "lock")
    first.take()
    first.release()

    second = FolderLock(tmp_path / "lock")
    second.take()
    second.release()


def test_the_file_tells_where_the_holder_listens(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "lock")
    lock.take()

    lock.describe(socket="/tmp/framerr.sock")

    known = holder(tmp_path / "lock")
    assert known is not None
    assert (known.pid, known.socket) == (os.getpid(), "/tmp/framerr.sock")
    lock.release()


def test_a_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    program = (
        "import sys, os, signal; from pathlib import Path; from framerr.core.lock import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.take(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "lock")], check=False)
    assert ended.returncode == -9

    lock = FolderLock(tmp_path / "lock")
    lock.take()
    lock.release()


def test_an_unreadable_lock_file_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"\xff not json")

    assert holder(tmp_path / "lock") is None
    assert holder(tmp_path / "missing") is None
