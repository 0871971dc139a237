"""What a task says while it works, and how it hears that it should stop.

Never inside a `writing()` of the task: progress is a short transaction of its own, and there is one writer at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from framerr.core.clock import utcnow
from framerr.core.db import Database
from framerr.core.errors import Cancelled, Unavailable
from framerr.jobs.models import Level, Run, RunLine, Unit

PULSE: Final = 0.25
MAX_LINES: Final = 1000
MAX_TEXT: Final = 2000


class Interrupted(Cancelled):
    """The appliance is shutting down. A task that tidies up after Cancelled does so after this, too."""

    code = "interrupted"


class Progress:
    """The words a task uses. This one does nothing and never stops anybody: for commands and tests."""

    def plan(self, steps: int) -> None:
        """Say how many stages there will be, for "Step 3 of 5"."""

    def stage(self, name: str, total: int = 0, unit: Unit = "") -> None:
        """Begin the next stage, with `total` units to do (0: not known). Written at once, so keep stages few."""

    def advance(self, n: int = 1) -> None:
        """So many units more are done. It never goes back: a negative number counts as nothing."""

    def note(self, text: str, level: Level = "info") -> None:
        """Add a line to the log that people read. The first thousand of a Run are kept."""

    def check(self) -> None:
        """A safe point. Raises Cancelled when a person asked for it, Interrupted when the appliance shuts down."""

    def safe_to_cancel(self, safe: bool) -> None:
        """Until this is called with True again, `check` raises nothing. False itself is the last safe point before."""


class RunProgress(Progress):
    """Keeps the row of a running Run current: about four times a second at most, stages at once. For one thread.

    Progress is not worth failing for: what cannot be written now (a full disk) waits for the next time.
    """

    def __init__(
        self,
        db: Database,
        run: Run,
        *,
        stopping: Event,
        clock: Callable[[], datetime] = utcnow,
        pulse: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db, self._run_id = db, run.id
        self._stopping, self._clock, self._pulse = stopping, clock, pulse
        self._row: dict[str, Any] = {}
        self._step = self._steps = self._done = self._total = self._noted = 0
        self._lines: list[dict[str, Any]] = []
        self._safe = True
        self._written_at = self._looked_at = float("-inf")

    def plan(self, steps: int) -> None:
        self._steps = self._row["steps"] = max(steps, self._step)

    def stage(self, name: str, total: int = 0, unit: Unit = "") -> None:
        self._step += 1
        self._steps = max(self._steps, self._step) if self._steps else 0
        self._done, self._total = 0, max(total, 0)
        self._row |= {"stage": printable(name, 120), "unit": unit, "step": self._step, "steps": self._steps}
        self._row |= {"done": 0, "total": self._total}
        self._write()

    def advance(self, n: int = 1) -> None:
        self._done += max(n, 0)
        self._row["done"] = self._done
        if self._total and self._done > self._total:  # the estimate was too low
            self._total = self._row["total"] = self._done
        self._write_in_time()

    def note(self, text: str, level: Level = "info") -> None:
        self._noted += 1
        if self._noted > MAX_LINES + 1:
            return
        if self._noted > MAX_LINES:
            text, level = f"Only the first {MAX_LINES} lines of a run are kept; the rest is left out.", "warn"
        line = {"run_id": self._run_id, "at": self._clock(), "level": level, "text": printable(text)}
        self._lines.append(line)
        self._write_in_time()

    def check(self) -> None:
        if not self._safe:
            return
        if self._pulse() - self._looked_at >= PULSE:
            self._look()
        if self._stopping.is_set():
            raise Interrupted("Stopped at a safe point because Framerr is shutting down. Run it again afterwards.")

    def safe_to_cancel(self, safe: bool) -> None:
        if safe is self._safe:
            return
        if not safe:
            self._looked_at = float("-inf")
            self.check()
        self._safe = self._row["cancellable"] = safe
        self._write()

    def write_into(self, session: Session) -> None:
        """What is not written yet, into the caller's transaction."""
        if self._row:
            running = update(Run).where(Run.id == self._run_id, Run.state == "running")
            session.execute(running.values(**self._row), execution_options={"synchronize_session": False})
        if self._lines:
            session.execute(insert(RunLine), self._lines)

    def _write_in_time(self) -> None:
        if self._pulse() - self._written_at >= PULSE:
            self._write()

    def _write(self) -> None:
        self._written_at = self._pulse()
        try:
            with self._db.writing() as session:
                self.write_into(session)
        except Unavailable:
            return
        self._row, self._lines = {}, []

    def _look(self) -> None:
        self._looked_at = self._pulse()
        try:
            with self._db.reading() as session:
                asked = session.scalar(select(Run.cancel_requested_at).where(Run.id == self._run_id))
        except Unavailable:
            return
        if asked is not None:
            self._looked_at = float("-inf")
            raise Cancelled("Cancelled at a safe point.")


def printable(words: str, limit: int = MAX_TEXT) -> str:
    """Words that any database and page can hold: file names may carry bytes that are no text."""
    whole = words.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= limit else f"{whole[: limit - 1]}…"
