"""How Runs are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framerr.jobs.models import Run
from framerr.web import runs

NOW = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)


def tell(moment: datetime) -> str:
    return f"at {moment:%H:%M}"


def make_run(**values: Any) -> Run:
    base: dict[str, Any] = {"uid": "u", "kind": "backup", "subject": "", "trigger": "manual", "state": "running"}
    base |= {"stage": "", "step": 0, "steps": 0, "done": 0, "total": 0, "unit": "", "attempt": 1, "cancellable": True}
    return Run(**base | {"created_at": NOW, "started_at": NOW} | values)


def test_a_running_run_tells_stage_amount_and_that_nobody_has_to_wait() -> None:
    """Step 3 of 5: writing content history, 30 of 48 MB. Safe to close this page."""
    run = make_run(stage="Writing files", step=3, steps=5, done=30_000_000, total=48_600_000, unit="bytes")
    view = runs.view(run, tell)
    assert view.note.replace("\u00a0", " ") == (
        "Step 3 of 5: writing files, 30.0 MB of 48.6 MB. Safe to close this page."
    )
    assert view.step == "Step 3 of 5: writing files"
    assert view.percent == 61
    assert view.can_cancel


def test_an_unknown_size_has_no_percent() -> None:
    """The bar then moves without a number."""
    view = runs.view(make_run(stage="Looking around"), tell)
    assert view.percent is None
    assert view.note == "Looking around. Safe to close this page."
    assert runs.view(make_run(), tell).note == "Starting. Safe to close this page."


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ({"state": "queued", "started_at": None}, "Starts in a moment. Safe to close this page."),
        ({"state": "queued", "started_at": None, "not_before": NOW}, "Starts at 09:40."),
        ({"cancel_requested_at": NOW, "stage": "X"}, "Stops at the next safe point."),
        ({"state": "failed", "error": "The disk is full."}, "The disk is full."),
        ({"state": "done"}, "Done."),
    ],
)
def test_every_state_has_its_note(values: dict[str, Any], note: str) -> None:
    """What will happen, or what happened."""
    assert runs.view(make_run(**values), tell).note == note


@pytest.mark.parametrize(
    ("values", "origin"),
    [
        ({"requested_by": "alice"}, "Started by alice"),
        ({}, "Started by hand"),
        ({"trigger": "schedule"}, "By the schedule"),
        ({"trigger": "catch-up", "due_at": NOW}, "Caught up: it was due at 09:40"),
        ({"trigger": "retry", "attempt": 3}, "Try 3"),
        ({"trigger": "system"}, "By Framerr itself"),
    ],
)
def test_every_trigger_has_its_words(values: dict[str, Any], origin: str) -> None:
    """Who or what asked for it."""
    assert runs.view(make_run(**values), tell).origin == origin


@pytest.mark.parametrize(
    ("values", "can"),
    [
        ({}, True),
        ({"state": "queued"}, True),
        ({"cancellable": False}, False),
        ({"cancel_requested_at": NOW}, False),
        ({"state": "done"}, False),
    ],
)
def test_cancel_is_offered_only_while_it_does_something(values: dict[str, Any], can: bool) -> None:
    """Not past the last safe point, not twice, not afterwards."""
    assert runs.view(make_run(**values), tell).can_cancel is can


def test_how_long_it_took_is_known_once_it_ended() -> None:
    """From its start, not from when it was queued; a run cancelled while it waited took no time."""
    ended = make_run(state="done", finished_at=NOW + timedelta(seconds=41))
    assert runs.view(ended, tell).took == timedelta(seconds=41)
    assert runs.view(make_run(), tell).took is None
    assert runs.view(make_run(state="cancelled", started_at=None, finished_at=NOW), tell).took is None


def test_files_and_steps_are_counted_in_words() -> None:
    """12 of 1,040 files, 1 of 1 file."""
    many = make_run(done=12, total=1040, unit="files")
    assert runs.amount_of(many).replace("\u00a0", " ") == "12 of 1,040 files"
    assert runs.amount_of(make_run(done=1, total=1, unit="files")).replace("\u00a0", " ") == "1 of 1 file"
    assert runs.amount_of(make_run(done=1, total=0, unit="files")) == ""


def test_a_kind_from_later_is_told_by_its_own_word() -> None:
    """A page never fails for a kind it does not know."""
    assert runs.name_of("site-snapshot") == "Site snapshot"
    assert runs.name_of("backup") == "Backup"
