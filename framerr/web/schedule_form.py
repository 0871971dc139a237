"""The form of the backup schedule, in the wizard and on the backups page: what it offers, and reading it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from framerr.backups.retention import LARGEST, SMALLEST
from framerr.jobs.calendar import WEEKDAYS, Rule, next_due
from framerr.web import current, filters
from framerr.web.forms import Form

FREQUENCIES: Final = (("off", "Off"), ("daily", "Daily"), ("weekly", "Weekly"))
DAYS: Final = tuple(enumerate(WEEKDAYS))
AMOUNTS: Final = tuple((number, str(number)) for number in range(SMALLEST, LARGEST + 1))
_MAXIMUM: Final = f"Keep at least {SMALLEST} and at most {LARGEST}."


@dataclass(frozen=True)
class Wanted:
    """A valid schedule, and how many backups are kept (R-002-7 to R-002-10)."""

    rule: Rule
    maximum: int


@dataclass(frozen=True)
class Offer:
    """What the fields show: (value, words) of each list, and the sentence about the next due time."""

    hours: Sequence[tuple[int, str]]
    next_words: str
    frequencies: Sequence[tuple[str, str]] = FREQUENCIES
    days: Sequence[tuple[int, str]] = DAYS
    amounts: Sequence[tuple[int, str]] = AMOUNTS


def read(form: Form) -> Wanted | None:
    """The schedule that was sent; None when something is wrong with it, which the form then says."""
    rule: Rule | None = None
    with form.catching():
        rule = Rule.parse(form.text("frequency"), form.text("hour"), form.text("weekday"))
    maximum = form.whole("max", SMALLEST, LARGEST, need=_MAXIMUM)
    return Wanted(rule, maximum) if form.ok and rule is not None else None


def initial(rule: Rule, maximum: int) -> dict[str, object]:
    """What the fields hold before anything was typed. Sunday is offered to somebody who changes to Weekly."""
    return {"frequency": rule.frequency, "hour": rule.hour, "weekday": rule.weekday or 0, "max": maximum}


def offer(rule: Rule | None, zone: ZoneInfo) -> Offer:
    """The lists, and when `rule` is due next (None: it cannot be said)."""
    hours = [(hour, filters.hour(hour, filters.clock())) for hour in range(24)]
    return Offer(hours, next_words(rule, zone, current.now()) if rule else "")


def next_words(rule: Rule, zone: ZoneInfo, now: datetime) -> str:
    """When a rule is due next, as a sentence (Settings → Advanced → Backups → Schedule)."""
    if current.appliance().locked:
        return "No backup is made while the key is missing."
    due = next_due(rule, zone, now)
    if due is None:
        return "No backup is made by itself. Create one by hand whenever something changed."
    words = filters.due(due, now=now, zone=zone, clock=filters.clock())
    return f"Next: {words}. A missed one is made when the server is back."


def first_words(rule: Rule, zone: ZoneInfo, now: datetime) -> str:
    """When a new instance makes its first backup, as a sentence."""
    due = next_due(rule, zone, now)
    if due is None:
        return "Scheduled backups are off: create one by hand whenever something changed."
    return f"The first backup is {filters.day_and_hour(due, now=now, zone=zone, clock=filters.clock())}."
