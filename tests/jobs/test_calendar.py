"""Due times as calendar facts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framerr.core.errors import InvalidInput
from framerr.jobs.calendar import Rule, next_due

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = sorted(available_timezones())
MODERN = st.integers(0, 120 * 365 * 86400).map(
    lambda seconds: datetime(1975, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    assert moment is not None
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def test_daily_is_due_at_the_hour_of_the_instance() -> None:
    """R-002-8: 4 AM in Berlin is 2 AM UTC in summer and 3 AM UTC in winter."""
    assert next_due(Rule("daily", 4), BERLIN, utc(2026, 7, 1, 1, 59)) == utc(2026, 7, 1, 2)
    assert next_due(Rule("daily", 4), BERLIN, utc(2026, 7, 1, 2)) == utc(2026, 7, 2, 2)
    assert next_due(Rule("daily", 4), BERLIN, utc(2026, 12, 1, 2)) == utc(2026, 12, 1, 3)


@pytest.mark.parametrize(
    ("weekday", "day"), [(0, "02"), (1, "03"), (2, "04"), (3, "05"), (4, "06"), (5, "07"), (6, "08")]
)
def test_weekly_is_due_on_its_day_and_zero_is_sunday(weekday: int, day: str) -> None:
    """R-002-9: 1 August 2026 is a Saturday."""
    after = utc(2026, 8, 1, 12)
    assert local(next_due(Rule("weekly", 23, weekday), NEW_YORK, after), NEW_YORK) == (
        f"2026-08-{day} 23:00" if weekday != 6 else "2026-08-01 23:00"
    )


def test_a_weekly_time_that_just_passed_comes_in_a_week() -> None:
    assert next_due(Rule("weekly", 4, 6), BERLIN, utc(2026, 8, 1, 2)) == utc(2026, 8, 8, 2)


def test_off_is_never_due() -> None:
    assert next_due(Rule("off", 4), BERLIN, utc(2026, 8, 1)) is None


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        next_due(Rule("daily", 4), BERLIN, datetime(2026, 8, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "hour", "before", "expected"),
    [
        ("Europe/Berlin", 2, utc(2026, 3, 28, 12), "2026-03-29 03:00"),
        ("America/New_York", 2, utc(2026, 3, 7, 12), "2026-03-08 03:00"),
        ("Australia/Lord_Howe", 2, utc(2026, 10, 3, 0), "2026-10-04 02:30"),
        ("Antarctica/Troll", 1, utc(2026, 3, 28, 12), "2026-03-29 03:00"),
        ("Antarctica/Troll", 2, utc(2026, 3, 28, 12), "2026-03-29 03:00"),
        ("America/Nuuk", 23, utc(2026, 3, 28, 12), "2026-03-29 00:00"),
        ("America/Asuncion", 0, utc(2023, 9, 30, 12), "2023-10-01 01:00"),
    ],
)
def test_a_time_that_does_not_exist_runs_at_the_next_existing_minute(
    zone: str, hour: int, before: datetime, expected: str
) -> None:
    """T26: gaps of 30 minutes, one hour and two hours, at the start and at the end of a day."""
    assert local(next_due(Rule("daily", hour), ZoneInfo(zone), before), ZoneInfo(zone)) == expected


@pytest.mark.parametrize(
    ("zone", "hour", "first", "following"),
    [
        (BERLIN, 2, utc(2026, 10, 25, 0), utc(2026, 10, 26, 1)),
        (NEW_YORK, 1, utc(2026, 11, 1, 5), utc(2026, 11, 2, 6)),
    ],
)
def test_a_time_that_exists_twice_runs_the_first_time_only(
    zone: ZoneInfo, hour: int, first: datetime, following: datetime
) -> None:
    """T26."""
    assert next_due(Rule("daily", hour), zone, first - timedelta(seconds=1)) == first
    assert next_due(Rule("daily", hour), zone, first) == following
    assert next_due(Rule("daily", hour), zone, first + timedelta(minutes=61)) == following


def test_a_date_that_a_country_skipped_does_not_stop_the_calendar() -> None:
    """Samoa had no 30 December 2011: what was due then is due at the first minute that exists."""
    apia = ZoneInfo("Pacific/Apia")
    assert local(next_due(Rule("weekly", 4, 5), apia, utc(2011, 12, 29, 0)), apia) == "2011-12-31 00:00"


@pytest.mark.timeout(60)
@given(
    zone=st.sampled_from(ZONES),
    after=MODERN,
    hour=st.integers(0, 23),
    weekday=st.one_of(st.none(), st.integers(0, 6)),
)
@settings(max_examples=400, deadline=None)
def test_every_zone_always_has_a_next_due_time(zone: str, after: datetime, hour: int, weekday: int | None) -> None:
    """In the future, within the week and a bit, at the hour (or moved out of a gap), and the first such."""
    tz = ZoneInfo(zone)
    rule = Rule("daily", hour) if weekday is None else Rule("weekly", hour, weekday)
    due = next_due(rule, tz, after)
    assert due is not None
    assert timedelta(0) < due - after <= timedelta(days=1 if weekday is None else 7, hours=26)
    there = due.astimezone(tz)
    nominal = datetime.combine(there.date(), datetime.min.time()).replace(hour=hour)
    is_on_time = there.replace(tzinfo=None, fold=0) == nominal
    came_from_a_gap = (due - timedelta(seconds=1)).astimezone(tz).utcoffset() != there.utcoffset()
    assert is_on_time or came_from_a_gap
    if is_on_time and weekday is not None:
        assert there.isoweekday() % 7 == weekday
    assert next_due(rule, tz, due - timedelta(seconds=1)) == due
    assert next_due(rule, tz, after + (due - after) / 2) == due


@given(zone=st.sampled_from(ZONES), moments=st.tuples(MODERN, MODERN), hour=st.integers(0, 23))
@settings(max_examples=200, deadline=None)
def test_a_later_moment_never_has_an_earlier_due_time(zone: str, moments: tuple[datetime, datetime], hour: int) -> None:
    earlier, later = sorted(moments)
    first, second = (next_due(Rule("daily", hour), ZoneInfo(zone), moment) for moment in (earlier, later))
    assert first is not None
    assert second is not None
    assert first <= second


@given(zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]), hour=st.integers(0, 23))
@settings(max_examples=30, deadline=None)
def test_a_chain_of_due_times_has_each_local_date_once(zone: str, hour: int) -> None:
    """T26, for whole years: strictly increasing, no date twice, none left out."""
    tz, due, dates = ZoneInfo(zone), utc(2026, 1, 1), []
    for _ in range(400):
        following = next_due(Rule("daily", hour), tz, due)
        assert following is not None
        assert following > due
        due = following
        dates.append(due.astimezone(tz).date())
    assert dates == [dates[0] + timedelta(days=n) for n in range(400)]
    assert dates[0] <= date(2026, 1, 2)


def test_a_rule_is_read_from_a_form() -> None:
    assert Rule.parse("daily", "4") == Rule("daily", 4, None)
    assert Rule.parse("weekly", 23, "0") == Rule("weekly", 23, 0)
    assert Rule.parse("off", "0", "") == Rule("off", 0, None)


def test_a_weekday_is_dropped_unless_the_rule_is_weekly() -> None:
    assert Rule.parse("daily", "4", "3") == Rule("daily", 4, None)


@pytest.mark.parametrize(
    ("frequency", "hour", "weekday", "field"),
    [
        ("hourly", "4", None, "frequency"),
        ("", "4", None, "frequency"),
        ("daily", "24", None, "hour"),
        ("daily", "-1", None, "hour"),
        ("daily", "", None, "hour"),
        ("daily", None, None, "hour"),
        ("daily", "4.5", None, "hour"),
        ("daily", "٤", None, "hour"),
        ("daily", "9" * 5000, None, "hour"),
        ("weekly", "4", None, "weekday"),
        ("weekly", "4", "7", "weekday"),
        ("weekly", "4", "", "weekday"),
        ("weekly", True, "1", "hour"),
    ],
)
def test_nothing_is_guessed(frequency: str, hour: str | int | None, weekday: str | None, field: str) -> None:
    """R-002-7: refused with the field at fault."""
    with pytest.raises(InvalidInput) as refused:
        Rule.parse(frequency, hour, weekday)
    assert refused.value.field == field
