"""When something is due, as a calendar fact. Pure: no clock, no database, no thread.

A daily rule is due once for each local date, a weekly one once for each such weekday. A local time that does not exist
runs at the next existing minute, one that exists twice runs at the first of the two (T26). Nothing here loops until a
condition comes true, so no zone can make it hang.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, cast

from framerr.core.errors import InvalidInput

Frequency = Literal["off", "daily", "weekly"]
FREQUENCIES: Final = ("off", "daily", "weekly")
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class Rule:
    """How often, at which local hour, and for a weekly rule on which day (0 is Sunday)."""

    frequency: Frequency
    hour: int = 4
    weekday: int | None = None

    @classmethod
    def parse(cls, frequency: str, hour: str | int | None, weekday: str | int | None = None) -> Rule:
        """A rule from what a form, an option or an import says. A weekday is dropped unless the rule is weekly.

        Raises InvalidInput naming the field: nothing is guessed, and an hour is wanted even when the schedule is off,
        because it is what the page shows when it is turned on again.
        """
        if frequency not in FREQUENCIES:
            raise InvalidInput("Choose how often: Off, Daily or Weekly.", field="frequency")
        at = _whole(hour, 23)
        if at is None:
            raise InvalidInput("Choose an hour from 12:00 AM to 11:00 PM (0 to 23).", field="hour")
        on = _whole(weekday, 6) if frequency == "weekly" else None
        if on is None and frequency == "weekly":
            raise InvalidInput("Choose a day from Sunday to Saturday (0 to 6).", field="weekday")
        return cls(cast(Frequency, frequency), at, on)

    def falls_on(self, day: date) -> bool:
        """Whether a local date has a due time."""
        return self.frequency == "daily" or (self.frequency == "weekly" and day.isoweekday() % 7 == self.weekday)


def next_due(rule: Rule, zone: tzinfo, after: datetime) -> datetime | None:
    """The first due moment later than `after`, in UTC; None when the rule is off. Raises ValueError for a naive time."""
    if after.tzinfo is None:
        raise ValueError("a due time is looked for after an aware moment")
    if rule.frequency == "off":
        return None
    today = after.astimezone(zone).date()
    # From yesterday, because a time in a gap at the end of a day moves into the next date; to a week and a day ahead.
    days = (today + timedelta(days=offset) for offset in range(-1, 9))
    moments = (_first_moment(day, rule.hour, zone) for day in days if rule.falls_on(day))
    return min(moment for moment in moments if moment > after)


def _first_moment(day: date, hour: int, zone: tzinfo) -> datetime:
    """The first existing moment at or after that local time, in UTC."""
    wanted = datetime.combine(day, time(hour), zone)
    moment = wanted.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wanted.replace(tzinfo=None):
        return moment
    # In a gap, fold=1 reads the clock as it is set afterwards, which is a moment before the change; `moment` is after.
    early = wanted.replace(fold=1).astimezone(UTC)
    offset = early.astimezone(zone).utcoffset()
    seconds = range(int((moment - early).total_seconds()))
    first = bisect_left(
        seconds, True, key=lambda n: (early + timedelta(seconds=n)).astimezone(zone).utcoffset() != offset
    )
    return early + timedelta(seconds=first)


def _whole(value: str | int | None, highest: int) -> int | None:
    words = str(value).strip()
    number = int(words) if words.isascii() and words.isdigit() and len(words) <= 2 else highest + 1
    return number if number <= highest else None
