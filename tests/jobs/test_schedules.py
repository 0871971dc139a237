"""From a schedule to its Runs, with time passed as a value."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from framerr.core.db import Database
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.jobs.models import Run

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
DAILY = Rule("daily", 4)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def tick(session: Session, now: datetime, zone: ZoneInfo = BERLIN) -> list[Run]:
    """A tick, and each Run it queues done within the same second."""
    runs = schedules.tick(session, zone, now, {"backup": {"type": "scheduled"}})
    for run in runs:
        claimed = queue.claim(session, now)
        assert claimed is run
        run.state, run.finished_at = "done", now
    session.flush()
    return runs


def due_of(session: Session) -> datetime | None:
    schedule = schedules.get(session, "backup")
    assert schedule is not None
    return schedule.next_due_at


def test_a_saved_schedule_is_due_at_its_first_time_afterwards(db: Database) -> None:
    with db.writing() as session:
        schedule = schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        assert schedule.next_due_at == datetime(2026, 6, 2, 2, tzinfo=UTC)
        assert schedule.rule == DAILY
        assert schedule.changed_at == NOON


def test_a_schedule_without_a_due_time_gets_one_and_never_one_that_is_off(db: Database) -> None:
    """As an archive of another make may restore them: what is said to run daily runs."""
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON).next_due_at = None
        schedules.save(session, "other", "", Rule("off", 4), BERLIN, NOON).next_due_at = NOON

        assert schedules.tick(session, BERLIN, NOON + timedelta(seconds=20), {}) == []
        assert due_of(session) == datetime(2026, 6, 2, 2, tzinfo=UTC)
        assert [run.kind for run in schedules.tick(session, BERLIN, NOON + DAY, {})] == ["backup"]


def test_a_due_time_gives_one_run_and_the_next_due_time(db: Database) -> None:
    """R-002-8."""
    due = datetime(2026, 6, 2, 2, tzinfo=UTC)
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        assert schedules.tick(session, BERLIN, due - timedelta(seconds=1), {}) == []
        (run,) = schedules.tick(session, BERLIN, due + timedelta(seconds=19), {"backup": {"type": "scheduled"}})
        assert (run.kind, run.trigger, run.due_at, run.state) == ("backup", "schedule", due, "queued")
        assert run.params == {"type": "scheduled"}
        assert due_of(session) == due + DAY
        assert schedules.tick(session, BERLIN, due + timedelta(seconds=39), {}) == []


def test_a_scheduled_run_has_the_resource_of_its_kind(db: Database) -> None:
    with db.writing() as session:
        schedules.save(session, "snapshot", "blog", DAILY, BERLIN, NOON)
        (run,) = schedules.tick(session, BERLIN, NOON + DAY, {}, lambda kind, subject: f"{kind}:{subject}")
        assert run.resource == "snapshot:blog"


def test_a_schedule_turned_off_is_kept_and_never_due(db: Database) -> None:
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        schedules.save(session, "backup", "", Rule("off", 4), BERLIN, NOON)
        assert due_of(session) is None
        assert schedules.tick(session, BERLIN, NOON + 9 * DAY, {}) == []


def test_changing_the_schedule_never_triggers_a_run_for_the_past(db: Database) -> None:
    """T27 sibling: the change is made while a due time is owed, and at an hour that is past today."""
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        schedules.save(session, "backup", "", Rule("daily", 3), BERLIN, NOON + 3 * DAY)
        assert tick(session, NOON + 3 * DAY) == []
        assert due_of(session) == datetime(2026, 6, 5, 1, tzinfo=UTC)


def test_saving_the_same_rule_between_its_due_time_and_the_tick_loses_nothing(db: Database) -> None:
    due = datetime(2026, 6, 2, 2, tzinfo=UTC)
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        schedules.save(session, "backup", "", DAILY, BERLIN, due + timedelta(seconds=5))
        assert [run.due_at for run in tick(session, due + timedelta(seconds=15))] == [due]


@pytest.mark.parametrize("days", [1, 2, 10])
def test_downtime_across_due_times_gives_one_catch_up_at_the_first_tick(db: Database, days: int) -> None:
    """T27."""
    back_up_again = NOON + days * DAY
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        runs = [run for n in range(30) for run in tick(session, back_up_again + n * timedelta(seconds=20))]
        assert [(run.trigger, run.created_at) for run in runs] == [("catch-up", back_up_again)]
        assert due_of(session) == datetime(2026, 6, 2, 2, tzinfo=UTC) + days * DAY


def test_a_restart_every_23_hours_for_30_days_gives_30_backups(db: Database) -> None:
    """T28: each boot ticks at once and lives for 23 hours, of which the last tick is a quarter of an hour before the end."""
    runs: list[Run] = []
    end = NOON + 30 * DAY
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        boot = NOON
        while boot < end:
            ticks = (boot + n * timedelta(minutes=15) for n in range(23 * 4))
            runs += [run for now in ticks if now < end for run in tick(session, now)]
            boot += timedelta(hours=23)
    assert len(runs) == 30
    assert [run.due_at for run in runs] == [datetime(2026, 6, 2, 2, tzinfo=UTC) + n * DAY for n in range(30)]


@pytest.mark.timeout(5)
@pytest.mark.parametrize("frequency", ["daily", "weekly"])
@pytest.mark.parametrize("hour", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("zone", "sunday"),
    [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Australia/Lord_Howe", "2026-10-04"),
    ],
)
def test_a_clock_change_gives_one_run_for_each_local_date(
    db: Database, zone: str, sunday: str, hour: int, frequency: str
) -> None:
    """T26: ticks every five minutes from Friday noon to Tuesday noon; no hang (the watchdog is five seconds)."""
    place = ZoneInfo(zone)
    day = datetime.fromisoformat(sunday).replace(tzinfo=place)
    start, end = (day - 2 * DAY).replace(hour=12), (day + 2 * DAY).replace(hour=12)
    rule = Rule("daily", hour) if frequency == "daily" else Rule("weekly", hour, 0)
    runs: list[Run] = []
    with db.writing() as session:
        now = start.astimezone(UTC)
        schedules.save(session, "backup", "", rule, place, now)
        while now < end.astimezone(UTC):
            runs += tick(session, now, place)
            now += timedelta(minutes=5)
    dates = Counter(run.due_at.astimezone(place).date() for run in runs if run.due_at is not None)
    offsets = range(-1, 3) if frequency == "daily" else [0]
    assert dates == {(day + n * DAY).date(): 1 for n in offsets}
    assert {run.trigger for run in runs} == {"schedule"}
    assert all(run.due_at == run.created_at for run in runs)


def test_a_clock_that_jumps_ahead_and_back_misses_nothing(db: Database) -> None:
    """T29: 400 days ahead for an hour, then back: one catch-up meanwhile, and every real day has its backup."""
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        ahead = [run for n in range(12) for run in tick(session, NOON + 400 * DAY + n * timedelta(minutes=5))]
        assert [run.trigger for run in ahead] == ["catch-up"]
        assert due_of(session) == datetime(2027, 7, 7, 2, tzinfo=UTC)
        back = NOON + timedelta(hours=1)
        assert tick(session, back) == []
        assert due_of(session) == datetime(2026, 6, 2, 2, tzinfo=UTC)
        later = [run for n in range(5 * 288) for run in tick(session, back + n * timedelta(minutes=5))]
        assert [run.due_at for run in later] == [datetime(2026, 6, 2, 2, tzinfo=UTC) + n * DAY for n in range(5)]


def test_a_retry_planned_by_a_clock_ahead_does_not_block_the_next_due_time(db: Database) -> None:
    """T29: the open retry of the wrong year is pulled forward by the due time of the right one."""
    wrong = NOON + 400 * DAY
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        retry, _ = queue.enqueue(session, "backup", trigger="retry", not_before=wrong, attempt=2, now=wrong)
        assert queue.claim(session, NOON) is None
        assert schedules.tick(session, BERLIN, NOON + DAY, {}) == []
        assert queue.claim(session, NOON + DAY) is retry


def test_a_clock_corrected_by_seconds_just_after_a_due_time_does_not_run_it_twice(db: Database) -> None:
    due = datetime(2026, 6, 2, 2, tzinfo=UTC)
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        ticks = [due + timedelta(seconds=n) for n in (1, -40, -20, 0, 20, 400)]
        assert [run.due_at for now in ticks for run in tick(session, now)] == [due]
        assert due_of(session) == due + DAY


def test_another_time_zone_keeps_the_local_hour(db: Database) -> None:
    """R-002-8: 4 AM stays 4 AM, from now on in New York; nothing runs for the past."""
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        schedules.rezone(session, NEW_YORK, NOON)
        assert due_of(session) == datetime(2026, 6, 2, 8, tzinfo=UTC)
        assert tick(session, datetime(2026, 6, 2, 2, tzinfo=UTC), NEW_YORK) == []
        assert len(tick(session, datetime(2026, 6, 2, 8, tzinfo=UTC), NEW_YORK)) == 1


def test_another_time_zone_does_not_lose_what_is_due_already(db: Database) -> None:
    due = datetime(2026, 6, 2, 2, tzinfo=UTC)
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        schedules.rezone(session, NEW_YORK, due + timedelta(seconds=5))
        assert [run.due_at for run in tick(session, due + timedelta(seconds=15), NEW_YORK)] == [due]
        assert due_of(session) == datetime(2026, 6, 2, 8, tzinfo=UTC)


def test_a_manual_run_does_not_satisfy_the_schedule(db: Database) -> None:
    due = datetime(2026, 6, 2, 2, tzinfo=UTC)
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        just_before = due - timedelta(minutes=1)
        manual, _ = queue.enqueue(session, "backup", trigger="manual", now=just_before)
        manual.state, manual.finished_at = "done", just_before
        session.flush()
        assert [run.trigger for run in tick(session, due)] == ["schedule"]


def test_a_due_time_that_finds_a_run_open_is_satisfied_by_it(db: Database) -> None:
    """T42: manual and schedule at once are one Run."""
    due = datetime(2026, 6, 2, 2, tzinfo=UTC)
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        manual, _ = queue.enqueue(session, "backup", trigger="manual", now=due)
        assert schedules.tick(session, BERLIN, due, {}) == []
        assert list(queue.open_runs(session)) == [manual]
        assert due_of(session) == due + DAY


def test_each_kind_and_subject_has_a_schedule_of_its_own(db: Database) -> None:
    with db.writing() as session:
        schedules.save(session, "backup", "", DAILY, BERLIN, NOON)
        schedules.save(session, "snapshot", "shop", DAILY, BERLIN, NOON)
        schedules.save(session, "snapshot", "blog", Rule("weekly", 4, 0), BERLIN, NOON)
        runs = schedules.tick(session, BERLIN, NOON + DAY, {})
        assert [(run.kind, run.subject) for run in runs] == [("backup", ""), ("snapshot", "shop")]
