"""Two simulated months of an instance that is restarted, moved and switched off at random."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from framerr.core.db import Base, Database
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.jobs.models import Run

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Nuuk", "Asia/Kolkata", "Pacific/Apia"]
STARTS = [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)]
MINUTE = timedelta(minutes=1)


@pytest.mark.torture
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(10))
def test_every_due_time_is_met_once_or_caught_up_once(tmp_path: Path, seed: int) -> None:
    """T26 to T28 together, against an oracle that knows only local wall clocks."""
    chance = random.Random(seed)
    zone = ZoneInfo(chance.choice(ZONES))
    rule = (
        Rule("daily", chance.randrange(24)) if seed % 2 else Rule("weekly", chance.randrange(24), chance.randrange(7))
    )
    now = chance.choice(STARTS)
    end = now + timedelta(days=60)
    db = Database(tmp_path / "framerr.db")
    Base.metadata.create_all(db.engine)
    owed = covered = caught_up = 0
    with db.writing() as session:
        schedules.save(session, "backup", "", rule, zone, now)
        while now < end:
            downtime = timedelta(hours=chance.uniform(0, 80)) if chance.random() < 0.004 else timedelta(0)
            later = now + MINUTE * chance.randint(1, 5) + downtime
            passed = due_between(rule, zone, now, later)
            runs = _tick(session, zone, later)
            assert len(runs) == (1 if passed else 0)
            owed += len(passed)
            covered += len(runs)
            caught_up += sum(run.trigger == "catch-up" for run in runs)
            assert [run.due_at for run in runs] == passed[:1]
            now = later
    db.close()
    assert covered > 0
    assert owed - covered <= 3 * caught_up


def due_between(rule: Rule, zone: tzinfo, after: datetime, until: datetime) -> list[datetime]:
    """The slow and simple way: look at the wall clock every minute, and remember the dates it was seen at the hour."""
    found, moment = [], after.replace(second=0, microsecond=0) + MINUTE
    while moment <= until:
        before, there = (at.astimezone(zone) for at in (moment - MINUTE, moment))
        mark = there.replace(hour=rule.hour, minute=0, tzinfo=None)
        candidates = [mark, mark - timedelta(days=1)]
        reached = [each for each in candidates if before.replace(tzinfo=None) < each <= there.replace(tzinfo=None)]
        if any(rule.falls_on(each.date()) and not _is_second_pass(each, moment, zone) for each in reached):
            found.append(moment)
        moment += MINUTE
    return found


def _is_second_pass(wall: datetime, moment: datetime, zone: tzinfo) -> bool:
    earlier = (moment - MINUTE * n for n in range(1, 181))
    return any(at.astimezone(zone).replace(tzinfo=None) == wall for at in earlier)


def _tick(session: Session, zone: tzinfo, now: datetime) -> list[Run]:
    runs = schedules.tick(session, zone, now, {})
    for run in runs:
        assert queue.claim(session, now) is run
        run.state, run.finished_at = "done", now
    session.flush()
    return runs
