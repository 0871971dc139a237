"""The tick: at once, again and again, one at a time, whatever it raises and whatever the clock does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

import pytest
import time_machine

from framerr.core.clock import utcnow
from framerr.jobs.ticker import Ticker

DEADLINE = 20.0


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        Event().wait(0.005)


@contextmanager
def ticking(tick: Callable[[datetime], None], every: float) -> Iterator[Ticker]:
    ticker = Ticker(tick, every)
    ticker.start()
    try:
        yield ticker
    finally:
        ticker.stop()


def test_the_first_tick_comes_at_once() -> None:
    ticks: list[datetime] = []
    with ticking(ticks.append, 3600) as ticker:
        wait_until(lambda: ticker.last_tick_at is not None)
        assert [ticker.last_tick_at] == ticks
        assert abs(utcnow() - ticks[0]) < timedelta(seconds=DEADLINE)


def test_a_tick_that_raises_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[datetime] = []

    def tick(now: datetime) -> None:
        calls.append(now)
        if len(calls) < 3:
            raise ValueError("no such zone")

    with caplog.at_level(logging.ERROR, "apscheduler"), ticking(tick, 0.05) as ticker:
        wait_until(lambda: ticker.last_tick_at is not None)
    assert ticker.last_tick_at is not None
    assert calls.index(ticker.last_tick_at) >= 2
    logged = [record for record in caplog.records if record.exc_info and record.exc_info[0] is ValueError]
    assert len(logged) == 2


def test_a_slow_tick_is_never_joined_by_a_second(caplog: pytest.LogCaptureFixture) -> None:
    lock, release = Lock(), Event()
    overlaps: list[bool] = []

    def tick(_now: datetime) -> None:
        overlaps.append(not lock.acquire(blocking=False))
        release.wait(DEADLINE)
        lock.release()

    with caplog.at_level(logging.WARNING, "apscheduler"), ticking(tick, 0.05):
        wait_until(lambda: caplog.text.count("maximum number of running instances") >= 3)
        assert overlaps == [False]
        release.set()
        wait_until(lambda: len(overlaps) >= 3)
    assert set(overlaps) == {False}


def test_stopping_waits_for_the_tick_under_way() -> None:
    begun, release = Event(), Event()
    order: list[str] = []

    def tick(_now: datetime) -> None:
        begun.set()
        release.wait(DEADLINE)
        order.append("ticked")

    def stop(ticker: Ticker) -> None:
        ticker.stop()
        order.append("stopped")

    with ticking(tick, 3600) as ticker:
        assert begun.wait(DEADLINE)
        stopper = Thread(target=stop, args=(ticker,))
        stopper.start()
        release.set()
        stopper.join(DEADLINE)
    assert order == ["ticked", "stopped"]


def test_stopping_before_the_start_does_nothing() -> None:
    ticker = Ticker(lambda _now: None)
    ticker.stop()
    assert ticker.last_tick_at is None


@pytest.mark.timeout(60)
def test_a_clock_that_jumps_goes_on_ticking() -> None:
    """T29: fifty years ahead (a machine without a clock learns the time) and back again, a tick within the second."""
    ticks: list[datetime] = []
    start = utcnow()
    with ticking(ticks.append, 0.1):
        wait_until(lambda: len(ticks) >= 2)
        ahead = start + timedelta(days=50 * 365)
        with time_machine.travel(ahead, tick=True):
            wait_until(lambda: ticks[-1] >= ahead)
            seen = len(ticks)
            wait_until(lambda: len(ticks) >= seen + 3)
        wait_until(lambda: ticks[-1] < ahead)
        seen = len(ticks)
        wait_until(lambda: len(ticks) >= seen + 3)
    assert all(now - start < timedelta(days=1) or now >= ahead for now in ticks)
