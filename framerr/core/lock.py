"""One process per `/config`: the holder of this lock is the only one that writes."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from framerr.core.errors import Conflict
from framerr.core.files import disk_errors


@dataclass(frozen=True)
class Holder:
    """Who holds a folder: process id (of its own container), host name, and the control socket if it has one."""

    pid: int
    host: str
    socket: str | None


class FolderLock:
    """An advisory lock on a file, released by the kernel when the process ends, however it ends.

    Network file systems without locking cannot keep a second container out; `framerr doctor` warns about them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Raises Conflict when another process holds the folder, Unavailable when the file cannot be opened."""
        with disk_errors(self._path):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Conflict(_in_use(self._path)) from None
        self._handle = handle
        self.describe(socket=None)

    def describe(self, *, socket: str | None) -> None:
        """Say in the file who holds it and where its control socket is. Only the holder may call this."""
        if self._handle is None:
            raise Conflict("The folder lock is not held by this process.")
        text = json.dumps({"pid": os.getpid(), "host": os.uname().nodename, "socket": socket}).encode()
        with disk_errors(self._path):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, text, 0)

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def holder(path: Path) -> Holder | None:
    """What the lock file says about the last holder; None when it says nothing readable. Does not test the lock."""
    try:
        facts = json.loads(path.read_bytes())
        return Holder(pid=int(facts["pid"]), host=str(facts["host"]), socket=facts.get("socket"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _in_use(path: Path) -> str:
    known = holder(path)
    who = f" by process {known.pid} on host {known.host}" if known else ""
    return (
        f"{path.parent} is in use{who}. Two processes on one folder would damage it: "
        "stop the other container first, or give this one a folder of its own."
    )
