"""The queue of Runs, which is also their history.

Every function works in the caller's transaction: `Database.writing()` for those that change something. Rules that two
threads could break are indexes and conditional statements, never a look followed by an act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, exists, or_, select, text, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session, aliased

from framerr.core.db import new_uid
from framerr.core.errors import NotFound
from framerr.jobs.models import OPEN, Run, RunLine, Trigger

KEEP_NEWEST: Final = 500
KEEP_FOR: Final = timedelta(days=90)
_OPEN_STATES: Final = ("queued", "running")


def enqueue(
    session: Session,
    kind: str,
    *,
    subject: str = "",
    resource: str | None = None,
    params: Mapping[str, Any] | None = None,
    trigger: Trigger,
    requested_by: str | None = None,
    not_before: datetime | None = None,
    due_at: datetime | None = None,
    attempt: int = 1,
    now: datetime,
) -> tuple[Run, bool]:
    """The open Run of this kind and subject, and whether it is new.

    However many ask at once, there is one (T42); those who come later get the first one's parameters. When it is a
    retry that waits for its time and this request does not wait, it is pulled forward.
    """
    session.flush()
    uid = new_uid()
    session.execute(
        insert(Run)
        .values(
            uid=uid,
            kind=kind,
            subject=subject,
            resource=resource,
            params=dict(params or {}),
            trigger=trigger,
            requested_by=requested_by,
            not_before=not_before,
            due_at=due_at,
            attempt=attempt,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=text(OPEN))
    )
    run = open_run(session, kind, subject)
    assert run is not None, "an insert that did nothing met an open run"
    if run.uid == uid:
        return run, True
    if run.not_before is not None and run.not_before > now and (not_before is None or not_before <= now):
        run.not_before = None
        session.flush()
    return run, False


def claim(session: Session, now: datetime, *, uid: str | None = None) -> Run | None:
    """Take the oldest Run whose time has come and whose resource is free (or the one named); None when there is none.

    One conditional UPDATE: a Run is claimed once, whoever asks at the same time.
    """
    holder = aliased(Run)
    is_taken = exists().where(holder.state == "running", holder.resource == Run.resource)
    ready = select(Run.id).where(Run.state == "queued", or_(Run.not_before.is_(None), Run.not_before <= now), ~is_taken)
    if uid is not None:
        ready = ready.where(Run.uid == uid)
    return session.scalars(
        update(Run)
        .where(Run.state == "queued", Run.id == ready.order_by(Run.id).limit(1).scalar_subquery())
        .values(state="running", started_at=now)
        .returning(Run),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).one_or_none()


def recover(session: Session, now: datetime) -> list[Run]:
    """Close what a process that is gone left running, and say which. Only for boot, before any runner starts."""
    orphans = list(session.scalars(select(Run).where(Run.state == "running").order_by(Run.id)))
    for run in orphans:
        run.state = "interrupted"
        run.finished_at = now
        run.error = "Framerr was stopped while this was running. Run it again if it is still wanted."
        run.error_code = "interrupted"
    session.flush()
    return orphans


def request_cancel(session: Session, uid: str, now: datetime) -> Run:
    """A queued Run is cancelled at once, a running one is asked to stop at its next safe point, a closed one is left.

    Raises NotFound.
    """
    run = get(session, uid)
    if run.is_open and run.cancel_requested_at is None:
        run.cancel_requested_at = now
    if run.state == "queued":
        run.state, run.finished_at = "cancelled", now
        run.error, run.error_code = "Cancelled before it started.", "cancelled"
    session.flush()
    return run


def prune(session: Session, now: datetime) -> int:
    """Forget closed Runs, with their lines, that are older than 90 days and not among the newest 500; says how many."""
    closed = Run.state.not_in(_OPEN_STATES)
    newest = select(Run.id).where(closed).order_by(Run.id.desc()).limit(KEEP_NEWEST)
    old = delete(Run).where(closed, Run.finished_at < now - KEEP_FOR, Run.id.not_in(newest)).returning(Run.id)
    return len(session.execute(old, execution_options={"synchronize_session": False}).all())


def get(session: Session, uid: str) -> Run:
    """Raises NotFound."""
    run = session.scalars(select(Run).where(Run.uid == uid)).one_or_none()
    if run is None:
        raise NotFound("This run is not known (any more). The activity page lists the runs that are kept.")
    return run


def open_run(session: Session, kind: str, subject: str = "") -> Run | None:
    """The queued or running Run of a kind and subject."""
    wanted = select(Run).where(Run.kind == kind, Run.subject == subject, Run.state.in_(_OPEN_STATES))
    return session.scalars(wanted).one_or_none()


def open_runs(session: Session) -> Sequence[Run]:
    """What runs, then what waits, in the order in which it is taken up."""
    wanted = select(Run).where(Run.state.in_(_OPEN_STATES)).order_by(Run.state.desc(), Run.id)
    return session.scalars(wanted).all()


def recent(session: Session, limit: int = 50, before: str | None = None) -> Sequence[Run]:
    """Closed Runs, newest first; `before` is the uid of the last one already shown."""
    wanted = select(Run).where(Run.state.not_in(_OPEN_STATES)).order_by(Run.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Run.id < select(Run.id).where(Run.uid == before).scalar_subquery())
    return session.scalars(wanted).all()


def latest(session: Session, kind: str, subject: str = "") -> Run | None:
    """The newest Run of a kind and subject, open or closed."""
    wanted = select(Run).where(Run.kind == kind, Run.subject == subject).order_by(Run.id.desc()).limit(1)
    return session.scalars(wanted).one_or_none()


def lines(session: Session, run: Run) -> Sequence[RunLine]:
    """The log of a Run, oldest first."""
    return session.scalars(select(RunLine).where(RunLine.run_id == run.id).order_by(RunLine.id)).all()
