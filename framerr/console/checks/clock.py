"""The clock: schedules, sessions and names of backups hang on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from framerr.console.checks.database import Stored
from framerr.console.checks.finding import Finding

SANE = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
SLACK = timedelta(minutes=10)


def clock(stored: Stored, now: datetime) -> Finding:
    shown = now.strftime("%Y-%m-%d %H:%M UTC")
    if not SANE[0] <= now < SANE[1]:
        return Finding("clock", "bad", f"{shown} cannot be right", "Set the clock of the host, for example with NTP.")
    if stored.newest_event is not None and stored.newest_event > now + SLACK:
        last = stored.newest_event.strftime("%Y-%m-%d %H:%M UTC")
        found = f"{shown} is before the newest event, {last}: the clock went back, or was ahead"
        return Finding("clock", "warn", found, "Set the clock of the host, for example with NTP.")
    return Finding("clock", "ok", shown)


def time_zone(stored: Stored) -> Finding:
    if stored.time_zone is None:
        return Finding("time zone", "ok", "not set yet: the setup wizard asks for it")
    try:
        ZoneInfo(stored.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = f"{stored.time_zone} is not known to this machine"
        return Finding("time zone", "bad", found, "framerr config set instance.time_zone Europe/Berlin")
    return Finding("time zone", "ok", stored.time_zone)
