"""Who may hold a folder, whether a process does, and waiting for one that only looks at it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from framerr.core.errors import Conflict, Forbidden
from framerr.core.lock import FolderLock
from framerr.core.paths import Paths

PATIENCE = 2.0
LOOK_EVERY = 0.01


def is_held(lock: Path) -> bool:
    """Whether a process has the lock for itself, in whatever container. Asks for a share of it and gives that back within
    microseconds, and writes nothing."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def hold(path: Path) -> FolderLock:
    """Take the lock for this process. Raises Conflict when another one has it, Unavailable.

    One that only has a share of it looks whether it is held, or gives files to this user: that is waited for.
    """
    lock = FolderLock(path)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            lock.take()
        except Conflict:
            if is_held(path) or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_EVERY)
        else:
            return lock


def require_owner(paths: Paths) -> None:
    """Raises Forbidden when this is root and the folder belongs to somebody else, who could not use what root leaves there.

    In a container root is dropped before this; a folder that is not there yet may be root's.
    """
    if os.geteuid() != 0:
        return  # whoever else this is, opening the folder says what it may not do there
    found = next((path for path in (paths.data, paths.root) if path.exists()), None)
    owner = found.stat().st_uid if found is not None else 0
    if owner != 0:
        raise Forbidden(
            f"{paths.root} belongs to user {owner}, who could not use what root writes there. Run it as that user: "
            f"sudo -u '#{owner}' env FRAMERR_CONFIG_DIR={paths.root} framerr …"
        )
