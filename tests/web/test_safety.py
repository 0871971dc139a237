"""The dashboard's answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framerr.backups.models import Backup
from framerr.jobs.models import Run, Schedule
from framerr.web import safety
from framerr.web.safety import Facts

NOW = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)
MADE = NOW.replace(hour=3, minute=0)


def tell(moment: datetime) -> str:
    return f"{moment:%d %b %H:%M}"


def make_backup(made: datetime = MADE) -> Backup:
    return Backup(size=48_600_000, created_at=made, verified_at=made, state="good", type="scheduled")


def make_run(state: str, ended: datetime = NOW, **values: Any) -> Run:
    return Run(kind="backup", state=state, created_at=ended, started_at=ended, finished_at=ended, **values)


def make_schedule(frequency: str = "daily") -> Schedule:
    following = None if frequency == "off" else MADE + timedelta(days=1)
    return Schedule(kind="backup", frequency=frequency, hour=4, next_due_at=following)


GOOD = Facts(
    unseen="",
    newest=make_backup(),
    kept=7,
    most=7,
    last_run=make_run("done", MADE),
    schedule=make_schedule(),
)


def test_all_is_well() -> None:
    """The last good one, that it was verified, its size, and the next."""
    found = safety.judge(GOOD, NOW, tell)
    assert found.kind == "safe"
    assert found.answer == "Yes: the last good backup is from 20 Nov 03:00, and the next is 21 Nov 03:00."
    assert found.title.replace("\u00a0", " ") == "Last good backup 20 Nov 03:00, verified, 48.6 MB"
    assert found.detail == "Next 21 Nov 03:00. 7 of 7 kept."
    assert not found.needs_backup


def test_no_backup_yet() -> None:
    """Nothing is called safe before the first proven backup."""
    found = safety.judge(replace(GOOD, newest=None, last_run=None), NOW, tell)
    assert (found.kind, found.needs_backup) == ("warn", True)
    assert found.detail == "The first one is made 21 Nov 03:00."
    off = safety.judge(replace(GOOD, newest=None, last_run=None, schedule=make_schedule("off")), NOW, tell)
    assert off.detail == "The schedule is off."


@pytest.mark.parametrize(("state", "word"), [("failed", "failed"), ("interrupted", "was interrupted")])
def test_a_failure_says_why_and_what_still_is_good(state: str, word: str) -> None:
    """And offers the next step."""
    facts = replace(GOOD, last_run=make_run(state, error="The disk is full."))
    found = safety.judge(facts, NOW, tell)
    assert (found.kind, found.needs_backup) == ("lost", True)
    assert found.title == f"The backup of 20 Nov 09:40 {word}"
    assert found.detail == "The disk is full. The newest good one is 20 Nov 03:00."


def test_a_failure_before_the_newest_good_backup_is_over() -> None:
    """The retry that worked ends the alarm."""
    facts = replace(GOOD, last_run=make_run("failed", MADE - timedelta(hours=1)))
    assert safety.judge(facts, NOW, tell).kind == "safe"


@pytest.mark.parametrize(
    ("frequency", "days", "kind"),
    [("daily", 1, "safe"), ("daily", 3, "warn"), ("weekly", 7, "safe"), ("weekly", 9, "warn"), ("off", 9, "warn")],
)
def test_an_old_backup_is_measured_by_its_schedule(frequency: str, days: int, kind: str) -> None:
    """A daily one is late on the third day, a weekly one after eight."""
    facts = replace(
        GOOD, newest=make_backup(NOW - timedelta(days=days)), last_run=None, schedule=make_schedule(frequency)
    )
    found = safety.judge(facts, NOW, tell)
    assert found.kind == kind
    if kind == "warn":
        assert found.title.replace("\u00a0", " ") == f"The last good backup is {days} days old"


def test_a_backup_under_way_is_said_first() -> None:
    """With what is good meanwhile."""
    running = Run(kind="backup", state="running", created_at=NOW, started_at=NOW)
    found = safety.judge(replace(GOOD, last_run=running), NOW, tell)
    assert found.answer == "A backup is being made now. The last good one is from 20 Nov 03:00."
    assert found.detail == "Another one is being made now. 7 of 7 kept."
    assert safety.judge(replace(GOOD, last_run=running, newest=None), NOW, tell).kind == "warn"


def test_a_folder_that_cannot_be_seen_is_not_called_safe() -> None:
    """A NAS that is away makes the answer unknown, not yes."""
    found = safety.judge(replace(GOOD, unseen="/config/backups does not answer."), NOW, tell)
    assert (found.kind, found.detail) == ("lost", "/config/backups does not answer.")


def test_a_locked_instance_is_not_called_safe() -> None:
    """However good the last backup is: there will be no next one."""
    found = safety.judge(replace(GOOD, is_locked=True), NOW, tell)
    assert found.kind == "lost"
    assert found.answer == "No: the key is missing, so no backups are made. The last good one is from 20 Nov 03:00."
    assert not found.needs_backup
    assert safety.judge(replace(GOOD, is_locked=True, newest=None), NOW, tell).detail.endswith("There is none yet.")


def test_without_a_schedule_the_next_is_made_by_hand() -> None:
    """Said in the answer."""
    found = safety.judge(replace(GOOD, schedule=None), NOW, tell)
    assert found.answer.endswith("The schedule is off, so the next is made by hand.")
