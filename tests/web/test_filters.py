"""How moments, sizes and numbers are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from framerr.accounts.models import TimeFormat
from framerr.web import filters

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)  # a Friday, 10:40 in Berlin


def berlin(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "clock", "words"),
    [
        (berlin(2026, 11, 20, 4), "24", "today 04:00"),
        (berlin(2026, 11, 20, 0, 0), "24", "today 00:00"),
        (berlin(2026, 11, 19, 23, 59), "24", "yesterday 23:59"),
        (berlin(2026, 11, 21, 4), "24", "tomorrow 04:00"),
        (berlin(2026, 11, 18, 9, 12), "24", "Wed 18 Nov 09:12"),
        (berlin(2025, 11, 18, 9, 12), "24", "18 Nov 2025 09:12"),
        (berlin(2026, 11, 20, 0, 5), "12", "today 12:05 AM"),
        (berlin(2026, 11, 20, 12, 0), "12", "today 12:00 PM"),
        (berlin(2026, 11, 20, 16, 0), "12", "today 4:00 PM"),
    ],
)
def test_when_is_told_as_people_say_it(moment: datetime, clock: TimeFormat, words: str) -> None:
    """In the instance's zone, held together by no-break spaces."""
    told = filters.when(moment, now=NOW, zone=BERLIN, clock=clock)
    assert told == words.replace(" ", filters.NBSP)


def test_today_is_a_matter_of_the_zone() -> None:
    """The same moment is today in Berlin and yesterday in New York."""
    moment = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    assert filters.day(moment, now=NOW, zone=BERLIN) == "today"
    assert filters.day(moment, now=NOW, zone=ZoneInfo("America/New_York")) == "yesterday"


def test_days_are_counted_by_the_calendar_when_the_clocks_change() -> None:
    """A day of 25 hours does not make yesterday the day before."""
    now = berlin(2026, 10, 26, 0, 30)
    assert filters.day(berlin(2026, 10, 25, 0, 10), now=now, zone=BERLIN) == "yesterday"


def test_a_due_time_leaves_no_doubt() -> None:
    """Near word, weekday, date, time and zone."""
    assert filters.due(berlin(2026, 11, 21, 4), now=NOW, zone=BERLIN, clock="24").replace(filters.NBSP, " ") == (
        "tomorrow, Saturday 21 November, 04:00 (Europe/Berlin)"
    )
    assert filters.due(berlin(2026, 11, 29, 4), now=NOW, zone=BERLIN, clock="12").replace(filters.NBSP, " ") == (
        "Sunday 29 November, 4:00 AM (Europe/Berlin)"
    )


def test_the_exact_moment_names_everything() -> None:
    """For the tooltip."""
    told = filters.exact(berlin(2026, 11, 20, 4), zone=BERLIN, clock="24").replace(filters.NBSP, " ")
    assert told == "Friday 20 November 2026, 04:00 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=20), "2 weeks ago"),
        (timedelta(days=100), "3 months ago"),
        (timedelta(days=364), "11 months ago"),
        (timedelta(days=366), "more than a year ago"),
        (timedelta(hours=-2), "in 2 hours"),
    ],
)
def test_ago(gap: timedelta, words: str) -> None:
    """Rounded down, so that nothing is told older than it is."""
    assert filters.ago(NOW - gap, now=NOW).replace(filters.NBSP, " ") == words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(milliseconds=420), "0.4 s"),
        (timedelta(seconds=9.96), "10 s"),
        (timedelta(seconds=59.6), "1 min 0 s"),
        (timedelta(seconds=185), "3 min 5 s"),
        (timedelta(hours=2, minutes=10), "2 h 10 min"),
        (timedelta(seconds=-5), "0.0 s"),
    ],
)
def test_durations(span: timedelta, words: str) -> None:
    """Never sixty of anything, never negative."""
    assert filters.duration(span).replace(filters.NBSP, " ") == words


def test_counts_have_separators_and_the_right_word() -> None:
    """1,236 items, 1 item, 0 items, 2 boxes."""
    assert filters.count(1236) == "1,236"
    assert [filters.count(n, "item").replace(filters.NBSP, " ") for n in (0, 1, 1236)] == [
        *("0 items", "1 item", "1,236 items"),
    ]
    assert filters.count(2, "box", "boxes").replace(filters.NBSP, " ") == "2 boxes"


def test_every_hour_of_the_list_has_a_name() -> None:
    """12:00 AM to 11:00 PM (R-002-8)."""
    assert [filters.hour(n, "12").replace(filters.NBSP, " ") for n in (0, 4, 12, 23)] == [
        *("12:00 AM", "4:00 AM", "12:00 PM", "11:00 PM"),
    ]
    assert filters.hour(4, "24") == "04:00"


def test_log_lines_have_seconds() -> None:
    """In both clocks, also when minute and hour are the same number."""
    moment = berlin(2026, 11, 20, 4, 4) + timedelta(seconds=7)
    assert filters.seconds(moment, zone=BERLIN, clock="24") == "04:04:07"
    assert filters.seconds(moment, zone=BERLIN, clock="12").replace(filters.NBSP, " ") == "4:04:07 AM"


def test_a_time_tag_escapes_what_it_shows() -> None:
    """Words come from the product, but nothing relies on that."""
    assert filters.time_tag(NOW, "<b>", '"') == (
        '<time datetime="2026-11-20T09:40:00+00:00" title="&#34;">&lt;b&gt;</time>'
    )


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (berlin(2026, 11, 20, 16), "today at 16:00"),
        (berlin(2026, 11, 21, 4), "tomorrow at 04:00"),
        (berlin(2026, 11, 28, 4), "on Sat 28 Nov at 04:00"),
    ],
)
def test_a_moment_to_come_fits_into_a_sentence(moment: datetime, words: str) -> None:
    """The first backup is tomorrow at 04:00."""
    assert filters.day_and_hour(moment, now=NOW, zone=BERLIN, clock="24").replace(filters.NBSP, " ") == words
