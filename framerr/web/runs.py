"""How Runs are told: names, states, progress in words. Pure; the pages of activity, home and backups share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from framerr.core.files import size_in_words
from framerr.jobs.models import Run
from framerr.web.filters import count

NAMES: Final = {
    "backup": "Backup",
    "verify": "Check of a backup",
    "adopt": "Uploaded backup",
    "housekeeping": "Housekeeping",
    "restore": "Restore",
    "reset": "Reset",
}
# What is said of a kind while it runs.
_NOW: Final = {
    "backup": "A backup is being made now.",
    "verify": "A backup is being checked now.",
    "adopt": "An uploaded backup is being checked now.",
    "restore": "A restore is being prepared now.",
    "reset": "A reset is being prepared now.",
}
# State -> badge of parts/state.html, word.
_BADGES: Final = {
    "queued": ("queued", "Waiting"),
    "running": ("running", "Running"),
    "done": ("safe", "Done"),
    "failed": ("failed", "Failed"),
    "cancelled": ("cancelled", "Cancelled"),
    "interrupted": ("interrupted", "Interrupted"),
}


@dataclass(frozen=True)
class RunView:
    """One Run as a page shows it. `now` is a sentence for while it runs; `percent` is None while the size is not known."""

    uid: str
    name: str
    now: str
    state: str
    badge: str
    word: str
    origin: str
    note: str
    step: str
    percent: int | None
    is_open: bool
    can_cancel: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    took: timedelta | None
    error: str


def name_of(kind: str) -> str:
    """The name of a kind of work; one that is not known here is told by its own word."""
    return NAMES.get(kind) or kind.replace("-", " ").replace("_", " ").capitalize()


def view(run: Run, tell: Callable[[datetime], str]) -> RunView:
    """`tell` writes a moment for the person who looks (`filters.in_words`)."""
    badge, word = _BADGES[run.state]
    step = step_of(run)
    ended = run.finished_at
    return RunView(
        uid=run.uid,
        name=name_of(run.kind),
        now=_NOW.get(run.kind, f"{name_of(run.kind)} is running now."),
        state=run.state,
        badge=badge,
        word=word,
        origin=origin_of(run, tell),
        note=note_of(run, tell),
        step=step,
        percent=run.percent if run.state == "running" else None,
        is_open=run.is_open,
        can_cancel=run.is_open and run.cancellable and run.cancel_requested_at is None,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=ended,
        took=ended - run.started_at if ended is not None and run.started_at is not None else None,
        error=run.error or "",
    )


def origin_of(run: Run, tell: Callable[[datetime], str]) -> str:
    """Who or what asked for it, as a sentence without its full stop."""
    match run.trigger:
        case "manual":
            return f"Started by {run.requested_by}" if run.requested_by else "Started by hand"
        case "schedule":
            return "By the schedule"
        case "catch-up":
            return f"Caught up: it was due {tell(run.due_at)}" if run.due_at else "Caught up"
        case "retry":
            return f"Try {run.attempt}"
        case "system":
            return "By Framerr itself"


def step_of(run: Run) -> str:
    """`Step 3 of 5: writing content history`; the empty text before the first stage."""
    if not run.stage:
        return ""
    if run.step and run.steps:
        return f"Step {run.step} of {run.steps}: {run.stage[:1].lower()}{run.stage[1:]}"
    return run.stage


def note_of(run: Run, tell: Callable[[datetime], str]) -> str:
    """The line below the bar: stage, amount, and that nobody has to wait for it."""
    if run.state == "queued":
        return f"Starts {tell(run.not_before)}." if run.not_before else "Starts in a moment. Safe to close this page."
    if run.state != "running":
        return run.error or "Done."
    if run.cancel_requested_at is not None:
        return "Stops at the next safe point."
    parts = [part for part in (step_of(run) or "Starting", amount_of(run)) if part]
    return f"{', '.join(parts)}. Safe to close this page."


def amount_of(run: Run) -> str:
    """`30.0 MB of 48.6 MB`, `12 of 40 files`; the empty text while the size is not known."""
    if run.total <= 0 or run.unit == "":
        return ""
    if run.unit == "bytes":
        return f"{size_in_words(run.done)} of {size_in_words(run.total)}"
    return f"{count(run.done)} of {count(run.total, run.unit.removesuffix('s'))}"
