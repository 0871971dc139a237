"""The one user of APScheduler, which only ticks. What is due is decided by `schedules`, from the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from framerr.core.clock import utcnow

EVERY: Final = 20.0


class Ticker:
    """Calls `tick(now)` at once and then every `every` seconds, one at a time, until it is stopped.

    What a tick raises is logged, with its traceback, by APScheduler, and the next one comes all the same.
    `last_tick_at` is when the last tick that ran through began.
    """

    def __init__(self, tick: Callable[[datetime], None], every: float = EVERY) -> None:
        self._tick, self._every = tick, timedelta(seconds=every)
        self.last_tick_at: datetime | None = None
        self._scheduler = _SteadyScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it says "running job" at every tick

    def start(self) -> None:
        self._scheduler.add_job(
            self._tick_now,
            IntervalTrigger(seconds=self._every.total_seconds(), timezone=UTC),
            next_run_time=utcnow(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more; a tick under way is waited for. Stopping twice, or before the start, does nothing."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _tick_now(self) -> None:
        now = utcnow()
        self._tick(now)
        self.last_tick_at = now


class _SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler ships no types
    """Keeps its pace whatever the wall clock does (T29).

    APScheduler plans by wall clock: set back a year, it sleeps for a year; set forward a year, it builds a list of every
    tick of that year first. So it sleeps one interval at most, and a job planned further than two away is planned anew.
    """

    def _process_jobs(self) -> float:
        now, longest = utcnow(), EVERY
        for job in self.get_jobs():
            longest = min(longest, job.trigger.interval_length)
            if abs(job.next_run_time - now) > 2 * job.trigger.interval:
                job.modify(next_run_time=now)
        wait: float | None = super()._process_jobs()
        return longest if wait is None else min(wait, longest)
