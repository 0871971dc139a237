"""Following a Run from outside: its stages and lines as news, its end as a result or an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from framerr.console import wire
from framerr.core.db import Database
from framerr.core.errors import FramerrError
from framerr.jobs import queue
from framerr.jobs.models import Run, RunLine

LOOK_EVERY = 0.2
BEAT_EVERY = 5.0
PATIENCE = 5
Tell = Callable[[wire.Progressed | wire.Noted | wire.Beat], None]


@dataclass
class Follower:
    """Looks at one Run five times a second and tells what is new. For one thread."""

    db: Database
    uid: str
    tell: Tell
    _told: wire.Progressed | None = None
    _last_line: int = 0
    _looks: int = 0
    _beat_at: float = field(default_factory=time.monotonic)

    def until_closed(self, stop: threading.Event) -> Run:
        """The Run once it is closed, or as it is when `stop` is set. Raises NotFound, and what `tell` raises."""
        while True:
            is_last = stop.is_set()
            run = self._look()
            if is_last or not run.is_open:
                return run
            stop.wait(LOOK_EVERY)

    def _look(self) -> Run:
        with self.db.reading() as session:
            run = queue.get(session, self.uid)
            wanted = select(RunLine).where(RunLine.run_id == run.id, RunLine.id > self._last_line)
            lines = session.scalars(wanted.order_by(RunLine.id)).all()
        self._looks += 1
        self._tell_stage(run)
        for line in lines:
            self._last_line = line.id
            self._say(wire.Noted(line.level, line.text))
        if time.monotonic() - self._beat_at > BEAT_EVERY:
            self._say(wire.Beat())
        return run

    def _tell_stage(self, run: Run) -> None:
        news = wire.Progressed(run.stage or "Waiting for its turn", run.done, run.total, run.unit)
        is_waiting = run.state == "queued" and self._looks > PATIENCE
        if news != self._told and run.is_open and (run.stage or is_waiting):
            self._told = news
            self._say(news)

    def _say(self, line: wire.Progressed | wire.Noted | wire.Beat) -> None:
        self._beat_at = time.monotonic()
        self.tell(line)


def result_of(run: Run, root: Path) -> Mapping[str, Any]:
    """The result of a Run that is done; raises its error otherwise, as the category it had."""
    if run.state == "done":
        return run.result or {}
    if run.is_open:
        raise FramerrError("The run goes on in the appliance. Look at its Activity page.")
    raise wire.error_of(run.error_code or "", run.error or f"The run was {run.state}.", root)
