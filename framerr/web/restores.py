"""Restoring an archive from a page: begin it, and tell how it goes until the restart. The wizard and the list share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from flask import Response
from sqlalchemy.orm import Session

from framerr.backups import folder, swap
from framerr.backups.models import RETURNED
from framerr.core.errors import Unavailable
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.observability import events
from framerr.web import current, filters, htmx, runs
from framerr.web.inspections import Look

KIND: Final = "restore"
STEPS: Final = (
    "Unpacking the archive, every file checked",
    "Safety backup of what is here",
    "Upgrading the data and sealing its keys",
    "Restart with the restored data",
)
# The stage a Run is in -> the step people see; others belong to the safety backup.
_STEP_OF: Final = {
    "Waiting for another job with backups": 0,
    "Unpacking": 0,
    "Upgrading the database": 2,
    "Sealing credentials": 2,
    "Compacting the database": 2,
    "Finishing": 3,
}
_LAST: Final = 3
# For each step: its share of the bar from and to, how many stages it has, and how many still come when its first begins.
# Reading and writing everything takes longest, whatever the disk.
_SHARES: Final = ((0, 45, 1, 9), (45, 75, 5, 8), (75, 95, 3, 3), (95, 100, 1, 0))
_RESTARTING: Final = "Framerr starts again. This takes a few seconds."
_RECENT: Final = timedelta(hours=1)
Phase = Literal["running", "restarting", "failed", "returned"]


@dataclass(frozen=True)
class Going:
    """A restore as its page shows it. `percent` is that of the whole."""

    uid: str
    phase: Phase
    percent: int
    note: str
    step: str
    steps: Sequence[tuple[str, str]]
    can_cancel: bool
    problem: str


@dataclass(frozen=True)
class Found:
    """A backup that lies in the folder already, for the wizard."""

    uid: str
    name: str
    type: str
    instance_name: str
    size: int
    made: datetime


def begin(session: Session, params: dict[str, str], subject: str, requested_by: str) -> Run:
    """Queue the restore of `params` (`backup`, or `upload`), or return the one that is under way already. `subject` is
    what people call the file."""
    run, is_new = queue.enqueue(
        session, KIND, params=params | {"name": subject}, trigger="manual", requested_by=requested_by, now=current.now()
    )
    if is_new:
        current.record(session, "restore.requested", subject, run.uid)
    return run


def going(session: Session, uid: str) -> Going:
    """Raises NotFound when there is no such restore."""
    run = queue.get(session, uid)
    shown = runs.view(run, filters.in_words)
    phase = _phase(run)
    at = _LAST if phase in {"restarting", "returned"} else step_of(run)
    return Going(
        uid=run.uid,
        phase=phase,
        percent=percent_of(run),
        note=note_of(run) if phase == "running" else _RESTARTING,
        step=STEPS[at],
        steps=_steps(at, phase),
        can_cancel=shown.can_cancel,
        problem=_problem(session, run, phase),
    )


def step_of(run: Run) -> int:
    """Which of STEPS a running restore is at."""
    return _STEP_OF.get(run.stage, 1 if run.stage else 0)


def percent_of(run: Run) -> int:
    """How much of the whole is done."""
    begin, end, stages, behind_first = _SHARES[step_of(run)]
    behind = (run.steps or 0) - (run.step or 0)
    place = min(max(behind_first - behind, 0), stages - 1)
    return begin + round((end - begin) * (place + (run.percent or 0) / 100) / stages)


def note_of(run: Run) -> str:
    """The line below the bar. The stages are not counted here: the list of steps does that."""
    if run.state == "queued":
        return "Starts in a moment. Safe to close this page."
    if run.cancel_requested_at is not None:
        return "Stops at the next safe point."
    told = ", ".join(part for part in (run.stage or "Starting", runs.amount_of(run)) if part)
    return f"{told}. Safe to close this page."


def restarting(session: Session, uid: str) -> Going:
    """The same while the server restarts and cannot be asked. Raises NotFound when there is no such restore."""
    return replace(
        going(session, uid),
        phase="restarting",
        note=_RESTARTING,
        step=STEPS[_LAST],
        steps=_steps(_LAST, "restarting"),
        can_cancel=False,
        problem="",
    )


def fragment(looked: Look, name: str, here: str, another: str) -> Response:
    """What a page that shows the reading of an archive puts in its place: how far it is, or the whole page anew."""
    if looked.is_kept:
        return htmx.go(here)
    return htmx.render("backups/_looked.html", looked=looked, inside=None, name=name, address=here, another=another)


def came_back(session: Session) -> str:
    """Why a restored state gave way to the previous one within the last hour, or the empty text."""
    newest = next(iter(events.recent(session, limit=1, kind=RETURNED)), None)
    return newest.text if newest is not None and current.now() - newest.at < _RECENT else ""


def found_here() -> tuple[Sequence[Found], str]:
    """The newest backups in the folder that may be restored; or why the folder cannot be looked into."""
    parts = current.appliance()
    try:
        folder.reconcile(parts.db, parts.paths, limits=parts.limits, now=current.now())
    except Unavailable as error:
        return [], error.message
    with parts.db.reading() as session:
        usable = [row for row in folder.present(session) if row.state in {"good", "unverified"}]
        rows = [Found(r.uid, r.name, r.type, r.instance_name, r.size, r.created_at) for r in usable]
    return rows, ""


def last_return() -> str:
    """`came_back`, for a page that reads nothing else."""
    with current.appliance().db.reading() as session:
        return came_back(session)


def is_on_trial() -> bool:
    """Whether what is live now was put in by a restore a moment ago."""
    return swap.state(current.appliance().paths) == "trial"


def _phase(run: Run) -> Phase:
    if run.is_open:
        return "running"
    if run.state != "done":
        return "failed"
    # A process that is younger than the staged restore and still has its Run is the previous state, come back.
    ended = run.finished_at
    return "returned" if ended is not None and current.appliance().started_at > ended else "restarting"


def _steps(at: int, phase: Phase) -> Sequence[tuple[str, str]]:
    return [(words, _state(place, at, phase)) for place, words in enumerate(STEPS)]


def _state(place: int, at: int, phase: Phase) -> str:
    if place == at:
        return "now" if phase in {"running", "restarting"} else "failed"
    return "done" if place < at else "next"


def _problem(session: Session, run: Run, phase: Phase) -> str:
    if phase == "failed":
        return run.error or "It did not end well. Its log has the details."
    if phase == "returned":
        return came_back(session) or "The previous state was brought back. The log says why."
    return ""
