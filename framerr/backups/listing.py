"""What the backups page shows: every file with why it is kept, sums, and which of the last days have a good backup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from framerr.backups import folder, prune
from framerr.backups.models import FAILED, MADE, Backup
from framerr.backups.retention import Plan
from framerr.observability.models import Event
from framerr.settings import store

DAYS = 14
DayState = Literal["good", "caught-up", "failed", "none"]


@dataclass(frozen=True)
class Item:
    """A file of the list. `is_next_to_go`: it is deleted when the next backup is proven."""

    backup: Backup
    reason: str
    is_own: bool
    from_the_future: bool
    is_next_to_go: bool


@dataclass(frozen=True)
class Day:
    """A day of the instance's calendar and what became of its backup."""

    date: date
    state: DayState


@dataclass(frozen=True)
class Listing:
    """`counted` of `maximum` are kept. `held`: why a clean-up waits for a person. `days` end with today."""

    items: tuple[Item, ...]
    counted: int
    maximum: int
    held: str | None
    total_size: int
    safety_size: int
    newest_good: Backup | None
    days: tuple[Day, ...]


def listing(session: Session, now: datetime) -> Listing:
    """Everything the page shows, from the rows alone; call `folder.reconcile` before."""
    values = store.read(session)
    rows = folder.present(session)
    plan = prune.preview(session, now=now)
    coming = prune.preview(session, coming=True, now=now)
    return Listing(
        items=tuple(_items(rows, plan, coming, folder.own_uid(session))),
        counted=plan.counted,
        maximum=values.max_backups,
        held=plan.held,
        total_size=sum(row.size for row in rows),
        safety_size=sum(row.size for row in rows if row.type == "safety"),
        newest_good=folder.newest_good(session),
        days=_days(session, rows, ZoneInfo(values.time_zone), now),
    )


def _items(rows: Sequence[Backup], plan: Plan, coming: Plan, own: str) -> Iterable[Item]:
    decisions = {decision.uid: decision for decision in plan.decisions}
    for row in rows:
        decision = decisions[row.uid]
        yield Item(
            backup=row,
            reason=decision.reason,
            is_own=row.instance_uid == own,
            from_the_future=decision.from_the_future,
            is_next_to_go=row.uid in coming.goes,
        )


def _days(session: Session, rows: Sequence[Backup], zone: tzinfo, now: datetime) -> tuple[Day, ...]:
    """Events tell of backups that are deleted by now, rows of those whose events came from another state."""
    since = now - timedelta(days=DAYS + 1)
    told = session.scalars(select(Event).where(Event.kind.in_((MADE, FAILED)), Event.at >= since)).all()
    best: dict[date, DayState] = {}
    for event in told:
        caught_up = bool(event.data.get("caught_up"))
        state: DayState = "failed" if event.kind == FAILED else "caught-up" if caught_up else "good"
        if event.data.get("type") != "safety":
            _better(best, event.at.astimezone(zone).date(), state)
    own = folder.own_uid(session)
    for row in rows:
        if row.state == "good" and row.type in {"manual", "scheduled"} and row.instance_uid == own:
            caught_up = bool(row.contents.get("caught_up"))
            _better(best, row.created_at.astimezone(zone).date(), "caught-up" if caught_up else "good")
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    return tuple(Day(day, best.get(day, "none")) for day in dates)


_RANK: Mapping[DayState, int] = {"none": 0, "failed": 1, "caught-up": 2, "good": 3}


def _better(best: dict[date, DayState], day: date, state: DayState) -> None:
    if _RANK[state] > _RANK[best.get(day, "none")]:
        best[day] = state
