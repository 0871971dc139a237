"""What the torture of backups shares: a large instance, processes to kill, faults put in by strace."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert

from framerr.core.db import Database
from framerr.core.paths import Paths
from framerr.observability.models import Event
from tests.factories import NOW

REPOSITORY = Path(__file__).parents[2]
STRACE = shutil.which("strace")


def swell(db: Database, megabytes: int) -> None:
    """Add rows that pack to a third, until the database has grown by so many megabytes."""
    words = [format(number * 2654435761 % 2**32, "08x") for number in range(500)]
    for batch in range(megabytes):
        rows = [
            {
                "at": NOW, "kind": "x", "level": "info", "subject": str(batch), "data": {}, "uid": f"{batch}-{row}",
                "text": " ".join(words[(batch * 7 + row * 13 + place * (row + 3)) % 500] for place in range(440)),
            }
            for row in range(250)
        ]  # fmt: skip
        with db.writing() as session:
            session.execute(insert(Event), rows)


def copied(source: Path, target: Path) -> Paths:
    shutil.copytree(source, target)
    return Paths(target / "config")


def command(*words: object) -> list[str]:
    module = () if str(words[0]).startswith("tests.") else ("tests.torture.backup_child",)
    return [sys.executable, "-m", *module, *map(str, words)]


def run(*words: object, strace: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the child to its end, with faults put in when given."""
    traced = [str(STRACE), "-f", "-qq", "-o", "/dev/null", *strace] if strace else []
    return subprocess.run(
        [*traced, *command(*words)], cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False
    )


def run_killed(seconds: float, *words: object) -> str:
    """Start the child, kill it so long after its first word (or let it end), and return what it said."""
    child = subprocess.Popen(command(*words), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = child.stdout.readline()
    deadline = time.monotonic() + seconds
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read()
    child.wait()
    child.stdout.close()
    return said


def system_calls(calls: str, log: Path, *words: object) -> list[tuple[str, int]]:
    """Each of these system calls that the child makes, with its number among those of its name, as strace counts."""
    traced = [str(STRACE), "-f", "-qq", "-o", str(log), "-e", f"trace={calls}"]
    subprocess.run([*traced, *command(*words)], cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=True)
    found = re.findall(rf"^(?:\d+ +)?({calls.replace(',', '|')})\(", log.read_text(), re.MULTILINE)
    return [(name, found[: place + 1].count(name)) for place, name in enumerate(found)]


@contextmanager
def small_disk(point: Path, size: str) -> Iterator[Path]:
    """A file system of its own with so much room; needs root."""
    point.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(point)], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", str(point)], check=True)


def fill_disk(folder: Path) -> Path:
    """Leave no byte free on the file system of `folder`; returns the file that does it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * (1 << 16))
        except OSError:
            pass
        try:
            while True:
                file.write(b"\0")
        except OSError:
            pass
    return filler
