"""Schedules: set them, and turn what is due into Runs.

`next_due_at` decides alone. In the past at a tick: exactly one Run and a new value, so that days missed do not pile up
(T27, T28). Further ahead than the calendar's next due time: the clock went back, and it is computed again (T29). None
while the rule says when (a restored row may be so): computed at the next tick.
Every function works in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from framerr.jobs import queue
from framerr.jobs.calendar import Rule, next_due
from framerr.jobs.models import Run, Schedule

LATE: Final = timedelta(minutes=5)


def get(session: Session, kind: str, subject: str = "") -> Schedule | None:
    return session.get(Schedule, (kind, subject))


def save(session: Session, kind: str, subject: str, rule: Rule, zone: tzinfo, now: datetime) -> Schedule:
    """Set the rule; it is next due at its first time after `now`, so a change never triggers a Run for the past.

    Saving the rule that is already set does not lose a Run that came due a moment ago and waits for the tick.
    """
    schedule = get(session, kind, subject)
    if schedule is None:
        schedule = Schedule(kind=kind, subject=subject)
        session.add(schedule)
    elif schedule.rule == rule and _is_due(schedule, now):
        return schedule
    schedule.frequency, schedule.hour, schedule.weekday = rule.frequency, rule.hour, rule.weekday
    schedule.next_due_at = next_due(rule, zone, now)
    schedule.changed_at = now
    session.flush()
    return schedule


def tick(
    session: Session,
    zone: tzinfo,
    now: datetime,
    params: Mapping[str, Mapping[str, Any]],
    resource_of: Callable[[str, str], str | None] = lambda _kind, _subject: None,
) -> list[Run]:
    """Queue what is due, with the parameters of its kind and the resource of kind and subject, and say which are new.

    The trigger is 'catch-up' when the due time is more than five minutes past. A due time that finds a Run of the same
    kind and subject open is satisfied by that one (T42).
    """
    queued = []
    for schedule in _active(session):
        if _is_due(schedule, now):
            resource = resource_of(schedule.kind, schedule.subject)
            run, is_new = _enqueue(session, schedule, params.get(schedule.kind, {}), resource, now)
            queued += [run] if is_new else []
            schedule.next_due_at = next_due(schedule.rule, zone, now)
        elif schedule.next_due_at is None or _clock_went_back(schedule, zone, now):
            schedule.next_due_at = next_due(schedule.rule, zone, now)
    session.flush()
    return queued


def rezone(session: Session, zone: tzinfo, now: datetime) -> None:
    """The instance's time zone changed: the same local hours, from now on in `zone`. What is already due stays due."""
    for schedule in _active(session):
        if not _is_due(schedule, now):
            schedule.next_due_at = next_due(schedule.rule, zone, now)
    session.flush()


def _active(session: Session) -> Sequence[Schedule]:
    wanted = select(Schedule).where(Schedule.frequency != "off").order_by(Schedule.kind, Schedule.subject)
    return session.scalars(wanted).all()


def _is_due(schedule: Schedule, now: datetime) -> bool:
    return schedule.next_due_at is not None and schedule.next_due_at <= now


def _clock_went_back(schedule: Schedule, zone: tzinfo, now: datetime) -> bool:
    # A clock set back by seconds just after a due time has not gone back: it would make that day run twice.
    expected = next_due(schedule.rule, zone, now + LATE)
    return schedule.next_due_at is not None and expected is not None and schedule.next_due_at > expected


def _enqueue(
    session: Session, schedule: Schedule, params: Mapping[str, Any], resource: str | None, now: datetime
) -> tuple[Run, bool]:
    due_at = schedule.next_due_at
    assert due_at is not None
    return queue.enqueue(
        session,
        schedule.kind,
        subject=schedule.subject,
        resource=resource,
        params=params,
        trigger="catch-up" if now - due_at > LATE else "schedule",
        due_at=due_at,
        now=now,
    )
