"""Bringing an empty instance back from a backup, in the running appliance: inspected, unpacked with every hash compared,
upgraded, purged, sealed, compacted, synced; then the process starts anew on the restored state until it is ready.

The peer is `unzip` and `sqlite3 integrity_check`, which compares no hash and changes nothing. The targets are parts of what
Framerr 0.4.1 needed on the machine where they were set: a quarter of 1.25 s for 50 MiB and of 18.5 s for 500 MiB, a third
of 3.52 s for the icons.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from data import appliance, ask, make_instance, newest_run
from measure import PATIENCE, Figure, Prober, Server, median, run, say, scratch, seconds, show

from framerr.core.paths import Paths

ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """What to restore, and the targets: a time, growth in MiB, the longest wait in ms."""

    name: str
    mebibytes: int = 0
    icons: int = 0
    seconds: float | None = None
    growth: float | None = None
    stall: float | None = None


CASES = (
    Case("1 MiB database", mebibytes=1),
    Case("50 MiB database", mebibytes=50, seconds=1.25 / 4, growth=48, stall=100),
    Case("500 MiB database", mebibytes=500, seconds=18.5 / 4, growth=64, stall=100),
    Case("2,000 icons", icons=2000, seconds=3.52 / 3),
)


@dataclass
class Rounds:
    """What was measured, once per round."""

    staged: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    boot: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    stall: list[float] = field(default_factory=list)
    by_hand: list[float] = field(default_factory=list)
    machine: list[float] = field(default_factory=list)


def measure() -> list[Figure]:
    return [figure for case in CASES for figure in measure_case(case)]


def measure_case(case: Case) -> list[Figure]:
    say(f"restore: {case.name}")
    found = Rounds()
    with scratch() as folder:
        archive = make_archive(folder / "source", case)
        for _ in range(ROUNDS):
            restore(Paths(folder / "empty"), archive, found)
    name = f"restore of {case.name}"
    return [
        Figure(f"{name} / unzip + check", "s", median(found.staged), median(found.by_hand), case.seconds),
        Figure(f"{name}: starting anew / start", "s", median(found.ready), median(found.boot)),
        Figure(f"{name}: memory growth", "MiB", max(found.growth), None, case.growth),
        Figure(f"{name}: longest wait", "ms", median(found.stall), median(found.machine), case.stall),
    ]


def make_archive(folder: Path, case: Case) -> Path:
    paths = make_instance(folder, mebibytes=case.mebibytes, icons=case.icons)
    with appliance(paths.root):
        return paths.backups / ask(paths.root, "backup.create")["name"]


def restore(empty: Paths, archive: Path, found: Rounds) -> None:
    with appliance(empty.root) as server:
        found.boot.append(server.boot)
        before = server.forget_peak()
        with Prober(server) as prober:
            ask(empty.root, "restore", file=str(archive))
        found.growth.append(server.memory("VmHWM") - before)
        found.ready.append(seconds(lambda: wait_for_the_restored(empty, server)))
        staging = newest_run(empty.data_before / empty.database.name, "restore")
        found.staged.append(staging.seconds)
        found.stall.append(prober.longest(staging.done))
        unzip(archive, empty.root.parent / "by-hand", server, found)
    shutil.rmtree(empty.root)


def wait_for_the_restored(paths: Paths, server: Server) -> None:
    """The marker of the exchange is renamed by the new process, before it answers."""
    deadline = time.monotonic() + PATIENCE
    while not paths.restore_trial.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    server.wait()


def unzip(archive: Path, folder: Path, server: Server, found: Rounds) -> None:
    def work() -> None:
        run("unzip", "-q", archive, "-d", folder, cwd=archive.parent)
        run("sqlite3", folder / "framerr.db", "PRAGMA integrity_check", cwd=folder)

    with Prober(server) as prober:
        found.by_hand.append(seconds(work))
    found.machine.append(prober.longest())
    shutil.rmtree(folder)


if __name__ == "__main__":
    show(measure())
