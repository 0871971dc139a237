"""Making a backup, in the running appliance, as a person asks for it: packed, read back, hashed, synced, listed.

The peer is what a careful person would do by hand, which is neither verified nor synced: `sqlite3 .backup`, then
`zip -6`; beside it Python's zipfile at level 6. While both work, the appliance is asked for its readiness (one reading
transaction) every 5 ms; the peer's column tells how long that takes while the machine is as busy with something else.

Pictures are stored by both, so zip has nothing to do there but to copy: that target is a third of the 2.30 s that
Framerr 0.4.1 needed on the machine where it was set.
"""

from __future__ import annotations

import sqlite3
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from data import appliance, ask, make_instance, newest_run
from measure import MIB, Figure, Prober, Server, median, run, say, scratch, seconds, show

from framerr.core.paths import Paths

ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """What to back up, and the targets: a time, or a part of the peer's; growth in MiB; the longest wait in ms."""

    name: str
    mebibytes: int = 0
    icons: int = 0
    seconds: float | None = None
    share: float | None = None
    growth: float | None = None
    stall: float | None = None


CASES = (
    Case("1 MiB database", mebibytes=1, seconds=0.25),
    Case("50 MiB database", mebibytes=50, share=1 / 4, growth=48, stall=100),
    Case("500 MiB database", mebibytes=500, share=1 / 5, growth=64, stall=100),
    Case("2,000 icons", icons=2000, seconds=2.30 / 3),
)


@dataclass
class Rounds:
    """What was measured, once per round."""

    ours: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    stall: list[float] = field(default_factory=list)
    by_hand: list[float] = field(default_factory=list)
    by_zipfile: list[float] = field(default_factory=list)
    machine: list[float] = field(default_factory=list)


def measure() -> list[Figure]:
    return [figure for case in CASES for figure in measure_case(case)]


def measure_case(case: Case) -> list[Figure]:
    say(f"backup: {case.name}")
    with scratch() as folder:
        paths = make_instance(folder / "config", mebibytes=case.mebibytes, icons=case.icons)
        found = Rounds()
        with appliance(paths.root) as server:
            for _ in range(ROUNDS):
                newest = make_backup(paths, server, found)
                by_hand = make_by_hand(paths, server, folder, found)
                found.by_zipfile.append(seconds(lambda: make_with_zipfile(paths, folder)))
        sizes = newest.stat().st_size / MIB, by_hand.stat().st_size / MIB
    name = f"backup of {case.name}"
    ours = median(found.ours)
    return [
        Figure(f"{name} / sqlite3 + zip -6", "s", ours, median(found.by_hand), case.seconds, case.share),
        Figure(f"{name} / zipfile level 6", "s", ours, median(found.by_zipfile)),
        Figure(f"{name}: memory growth", "MiB", max(found.growth), None, case.growth),
        Figure(f"{name}: longest wait", "ms", median(found.stall), median(found.machine), case.stall),
        Figure(f"{name}: archive", "MiB", *sizes),
    ]


def make_backup(paths: Paths, server: Server, found: Rounds) -> Path:
    before = server.forget_peak()
    with Prober(server) as prober:
        made = ask(paths.root, "backup.create")
    found.ours.append(newest_run(paths.database, "backup").seconds)
    found.growth.append(server.memory("VmHWM") - before)
    found.stall.append(prober.longest())
    return paths.backups / made["name"]


def make_by_hand(paths: Paths, server: Server, folder: Path, found: Rounds) -> Path:
    archive = folder / "by-hand.zip"
    archive.unlink(missing_ok=True)

    def make() -> None:
        run("sqlite3", paths.database, f".backup '{folder}/framerr.db'", cwd=folder)
        run("zip", "-6", "-q", archive, "framerr.db", cwd=folder)
        if any(paths.custom_icons.iterdir()):
            run("zip", "-6", "-q", "-r", archive, "custom-icons", cwd=paths.data)

    with Prober(server) as prober:
        found.by_hand.append(seconds(make))
    found.machine.append(prober.longest())
    return archive


def make_with_zipfile(paths: Paths, folder: Path) -> None:
    copy = folder / "framerr.db"
    copy.unlink()
    source, target = sqlite3.connect(paths.database), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()
    with zipfile.ZipFile(folder / "zipfile.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.write(copy, "framerr.db")
        for icon in paths.custom_icons.iterdir():
            archive.write(icon, f"custom-icons/{icon.name}")


if __name__ == "__main__":
    show(measure())
