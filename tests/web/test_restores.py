"""A restore as its page shows it: the steps in the order in which they happen, and a share that only grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from framerr.appliance import Appliance
from framerr.backups import restore
from framerr.backups.create import create_backup
from framerr.core.clock import utcnow
from framerr.jobs.models import Run, Unit
from framerr.jobs.progress import Progress
from framerr.web import restores
from tests.factories import appliance_in
from tests.web.people import set_up


class Recorded(Progress):
    """What a Run would have said, at each stage and amid it."""

    def __init__(self) -> None:
        self.seen: list[Run] = []
        self._steps = 0

    def plan(self, steps: int) -> None:
        self._steps = steps

    def stage(self, name: str, total: int = 0, unit: Unit = "") -> None:
        self._see(stage=name, step=(self.seen[-1].step if self.seen else 0) + 1, total=total, unit=unit)

    def advance(self, n: int = 1) -> None:
        last = self.seen[-1]
        self._see(stage=last.stage, step=last.step, total=last.total, unit=last.unit, done=(last.done or 0) + n)

    def _see(self, **values: Any) -> None:
        base = {"kind": "restore", "state": "running", "steps": max(self._steps, values["step"]), "done": 0}
        self.seen.append(Run(**base | values))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A backup of another instance."""
    with appliance_in(tmp_path / "elsewhere") as other:
        set_up(other)
        made = create_backup(other.db, other.paths, other.key, type="manual", progress=Progress(), now=utcnow())
        return other.paths.backups / made.name


@pytest.mark.parametrize("is_set_up", [False, True])
def test_steps_are_shown_in_the_order_in_which_they_happen(empty: Appliance, archive: Path, is_set_up: bool) -> None:
    """From the first stage of a real restore to its last: no step comes back, and the share never shrinks."""
    if is_set_up:
        set_up(empty)
    told = Recorded()

    restore.stage(empty.db, empty.paths, empty.key, archive, progress=told, now=utcnow())

    shown = [restores.step_of(run) for run in told.seen]
    assert sorted(shown) == shown
    assert set(shown) == {0, 1, 2, 3}
    shares = [restores.percent_of(run) for run in told.seen]
    assert sorted(shares) == shares
    assert shares[0] == 0
    assert 40 <= max(share for share, step in zip(shares, shown, strict=True) if step == 0) <= 45
    assert shares[-1] >= 95


def test_what_is_under_way_is_told_without_counting_stages() -> None:
    """The list of steps counts; the line below the bar says how far this one is."""
    now = utcnow()
    base: dict[str, Any] = {"kind": "restore", "trigger": "manual", "created_at": now}
    unpacking = {"stage": "Unpacking", "step": 1, "steps": 10, "done": 12_000_000, "total": 162_400_000}

    running = Run(**base, state="running", unit="bytes", **unpacking)
    waiting = Run(**base, state="queued", done=0, total=0, unit="")
    stopping = Run(**base, state="running", unit="bytes", cancel_requested_at=now, **unpacking)

    assert (
        restores.note_of(running).replace("\u00a0", " ") == "Unpacking, 12.0 MB of 162.4 MB. Safe to close this page."
    )
    assert restores.note_of(waiting) == "Starts in a moment. Safe to close this page."
    assert restores.note_of(stopping) == "Stops at the next safe point."
