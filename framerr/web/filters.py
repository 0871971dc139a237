"""How moments, sizes and numbers are told to people. Pure functions; `install` binds them to the request.

No-break spaces hold together what belongs together: a number and its unit, a day and its time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup

from framerr.accounts.models import TimeFormat
from framerr.core.files import size_in_words
from framerr.web import access, current
from framerr.web.devices import device

NBSP = "\u00a0"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (7, "day"), (5, "week"))


def clock_time(moment: datetime, clock: TimeFormat) -> str:
    """`moment` (local) as 04:00, or as 4:00 AM."""
    if clock == "24":
        return f"{moment:%H:%M}"
    return f"{moment.hour % 12 or 12}:{moment:%M}{NBSP}{'AM' if moment.hour < 12 else 'PM'}"


def seconds(moment: datetime, *, zone: tzinfo, clock: TimeFormat) -> str:
    """The time of day to the second, for logs: 04:00:02, or 4:00:02 AM."""
    local = moment.astimezone(zone)
    return clock_time(local, clock).replace(f":{local:%M}", f":{local:%M:%S}")


def hour(value: int, clock: TimeFormat) -> str:
    """A whole hour of the day as a choice in a list: 4:00 AM, or 04:00 (R-002-8)."""
    return clock_time(datetime(2000, 1, 1, value), clock)  # noqa: DTZ001 - a time of day has no zone


def when(moment: datetime, *, now: datetime, zone: tzinfo, clock: TimeFormat) -> str:
    """`today 04:00`, `yesterday 17:32`, `Wed 18 Nov 09:12`, `18 Nov 2024 09:12`."""
    local = moment.astimezone(zone)
    return f"{day(moment, now=now, zone=zone)} {clock_time(local, clock)}".replace(" ", NBSP)


def day(moment: datetime, *, now: datetime, zone: tzinfo) -> str:
    """The day alone: `today`, `yesterday`, `Wed 18 Nov`, `18 Nov 2024`."""
    local, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    near = _NEAR.get((local - today).days)
    if near:
        return near
    words = f"{local.day} {_MONTHS[local.month - 1][:3]}"
    words = f"{_WEEKDAYS[local.weekday()][:3]} {words}" if abs((local - today).days) < 300 else f"{words} {local.year}"
    return words.replace(" ", NBSP)


def exact(moment: datetime, *, zone: tzinfo, clock: TimeFormat) -> str:
    """The whole truth, for a tooltip: `Friday 20 November 2026, 04:00 (Europe/Berlin)`."""
    local = moment.astimezone(zone)
    return f"{_long_date(local.date())} {local.year}, {clock_time(local, clock)} ({zone})"


def due(moment: datetime, *, now: datetime, zone: tzinfo, clock: TimeFormat) -> str:
    """A moment to come, leaving no doubt: `tomorrow, Saturday 21 November, 04:00 (Europe/Berlin)`."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    near = _NEAR.get((local.date() - today).days)
    words = f"{_long_date(local.date())}, {clock_time(local, clock)} ({zone})"
    return f"{near}, {words}" if near else words


def ago(moment: datetime, *, now: datetime) -> str:
    """`just now`, `5 minutes ago`, `3 days ago`, `in 2 hours`, `more than a year ago`."""
    gap = now - moment
    seconds = abs(gap.total_seconds())
    if seconds < 10:
        return "just now"
    amount = "more than a year" if seconds >= timedelta(days=365).total_seconds() else _rounded(seconds)
    return f"{amount} ago" if gap > timedelta() else f"in {amount}"


def duration(span: timedelta) -> str:
    """How long something took: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 9.95:
        return f"{seconds:.1f}{NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest}{NBSP}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NBSP}h {minutes}{NBSP}min" if hours else f"{minutes}{NBSP}min {rest}{NBSP}s"


def count(number: int, one: str = "", many: str | None = None) -> str:
    """`1,236`, or with words `1 item` and `1,236 items`."""
    digits = f"{number:,}"
    if not one:
        return digits
    return f"{digits}{NBSP}{one if number == 1 else many or one + 's'}"


def limit(size: int) -> str:
    """A round size that is a rule, not a measurement: `8 MB`."""
    return size_in_words(size).replace(".0", "")


def time_tag(moment: datetime, words: str, title: str) -> Markup:
    """`words` as a `<time>` that shows the exact moment on hover."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), title, words)


def foreign(text: str) -> Markup:
    """A name that somebody else chose, kept apart from the words around it: it may be written from right to left."""
    return Markup("<bdi>{}</bdi>").format(text)


def zone() -> ZoneInfo:
    """The instance's zone, in this request; before setup the one of TZ, so pages of the wizard name it."""
    hint = None if access.is_set_up() else current.appliance().settings.time_zone_hint
    return ZoneInfo(hint or current.values().time_zone)


def clock() -> TimeFormat:
    """12 or 24 hours: the person's choice, else the instance's."""
    found = current.visitor()
    return (found.time_format if found else None) or current.values().time_format


def install(app: Flask) -> None:
    """Give templates the filters when, in_zone, day, exact, clock, due, ago, duration, size, count, hour, device, capital,
    `foreign` (a `<bdi>`), `moment` (a `<time>`)."""
    app.jinja_env.filters.update(
        size=size_in_words,
        count=count,
        duration=duration,
        device=device,
        moment=_moment,
        when=_bound(when),
        due=_bound(due),
    )
    app.jinja_env.filters["in_zone"] = in_zone
    app.jinja_env.filters["foreign"] = foreign
    app.jinja_env.filters["capital"] = capital
    app.jinja_env.filters["day"] = lambda at: day(at, now=current.now(), zone=zone())
    app.jinja_env.filters["ago"] = lambda at: ago(at, now=current.now())
    app.jinja_env.filters["exact"] = lambda at: exact(at, zone=zone(), clock=clock())
    app.jinja_env.filters["clock"] = lambda at: seconds(at, zone=zone(), clock=clock())
    app.jinja_env.filters["hour"] = lambda value: hour(value, clock())


def in_words(moment: datetime) -> str:
    """`when` for this request, for sentences that a view builds."""
    return when(moment, now=current.now(), zone=zone(), clock=clock())


def capital(words: str) -> str:
    """Words as the beginning of a line: `Today 04:00`."""
    return words[:1].upper() + words[1:]


def in_zone(moment: datetime) -> str:
    """`in_words` with the name of the zone, where nobody could have set one yet: `today 04:00 (Europe/Berlin)`."""
    return f"{in_words(moment)} ({zone()})"


def day_and_hour(moment: datetime, *, now: datetime, zone: tzinfo, clock: TimeFormat) -> str:
    """A moment to come within a sentence: `tomorrow at 4:00 AM`, `on Sat 21 Nov at 04:00`."""
    words = day(moment, now=now, zone=zone)
    at = f"at{NBSP}{clock_time(moment.astimezone(zone), clock)}"
    return f"{words} {at}" if words in _NEAR.values() else f"on {words} {at}"


def _bound(tell: Callable[..., str]) -> Callable[[datetime], str]:
    return lambda at: partial(tell, at)(now=current.now(), zone=zone(), clock=clock())


def _moment(at: datetime, words: str | None = None) -> Any:
    return time_tag(at, words or in_words(at), exact(at, zone=zone(), clock=clock()))


def _long_date(value: date) -> str:
    return f"{_WEEKDAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]}".replace(" ", NBSP)


def _rounded(seconds: float) -> str:
    value = seconds
    for size, unit in _STEPS:
        if value < size:
            return count(int(value), unit)
        value /= size
    return count(int(seconds / timedelta(days=30.44).total_seconds()), "month")
