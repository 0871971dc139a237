"""A process to be killed: makes a backup, stages a restore, or begins a boot, in the folder it is told."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from framerr.appliance import folder as instance_folder
from framerr.backups import create, restore, shelf, swap
from framerr.core.crypto import resolve_key
from framerr.core.db import Database
from framerr.core.errors import FramerrError
from framerr.core.paths import Paths
from framerr.jobs.progress import Progress
from tests.factories import NOW, make_settings


class Telling(Progress):
    """Says each stage on standard output, so that the parent knows where the process is."""

    def stage(self, name: str, *_size: object) -> None:
        print(name, flush=True)


def peak() -> int:
    """The most memory this process had so far, in KiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1])


def back_up(root: Path) -> None:
    settings = make_settings(root)
    paths = Paths(settings.config_dir)
    db = Database(paths.database)
    before = peak()
    row = create.create_backup(db, paths, resolve_key(settings, paths), type="manual", progress=Telling(), now=NOW)
    db.close()
    grown = peak() - before
    print(f"made {row.name} grown {grown}", flush=True)


def stage(root: Path, source: Path) -> None:
    settings = make_settings(root)
    paths = Paths(settings.config_dir)
    db = Database(paths.database)
    before = peak()
    restore.stage(db, paths, resolve_key(settings, paths), source, progress=Telling(), now=NOW)
    db.close()
    grown = peak() - before
    print(f"staged grown {grown}", flush=True)


def boot(root: Path) -> None:
    """What the server does first."""
    paths = Paths(make_settings(root).config_dir)
    lock = instance_folder.open_folder(paths)
    print("open", flush=True)
    swap.begin_boot(paths, NOW)
    shelf.sweep(paths.backups)
    instance_folder.sweep(paths)
    lock.release()
    print("booted", flush=True)


if __name__ == "__main__":
    command, *given = sys.argv[1:]
    try:
        {"backup": back_up, "stage": stage, "boot": boot}[command](*map(Path, given))
    except FramerrError as error:
        print(f"refused {type(error).__name__}: {error.message}", flush=True)
        sys.exit(3)
