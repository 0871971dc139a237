"""Who may hold a folder, and that looking whether it is held takes it from nobody."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from framerr.appliance import folder, holding
from framerr.core.errors import Conflict, Forbidden
from framerr.core.paths import Paths


def test_one_that_only_looks_is_waited_for(tmp_path: Path) -> None:
    """`framerr doctor` at the very moment in which the appliance starts."""
    lock = tmp_path / "lock"
    lock.touch()
    looking = lock.open("rb")
    fcntl.flock(looking, fcntl.LOCK_SH)
    end = threading.Timer(0.3, looking.close)
    end.start()

    taken = holding.hold(lock)

    assert looking.closed
    taken.release()


def test_a_thousand_looks_keep_nobody_out(tmp_path: Path) -> None:
    paths, ended = Paths(tmp_path), threading.Event()
    folder.open_folder(paths).release()

    def look() -> None:
        while not ended.is_set():
            holding.is_held(paths.lock)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(100):
            folder.open_folder(paths).release()
    finally:
        ended.set()
        for looker in lookers:
            looker.join()


def test_a_holder_is_not_waited_for(tmp_path: Path) -> None:
    first = holding.hold(tmp_path / "lock")
    assert holding.is_held(tmp_path / "lock")
    with pytest.raises(Conflict, match="is in use by process"):
        holding.hold(tmp_path / "lock")
    first.release()
    assert not holding.is_held(tmp_path / "lock")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused as root")
def test_root_is_refused_on_a_folder_of_somebody_else(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config")
    holding.require_owner(paths)
    paths.prepare()
    holding.require_owner(paths)
    os.chown(paths.data, 1234, 1234)
    with pytest.raises(Forbidden, match=f"sudo -u '#1234' env FRAMERR_CONFIG_DIR={paths.root} framerr"):
        holding.require_owner(paths)
