"""The threads that do the work, one Run each at a time.

Whatever happens in a task ends on its Run's row: `_attempt` holds the first of the product's three broad excepts.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Condition, Event, Thread
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy.orm import Session

from framerr.core.clock import utcnow
from framerr.core.db import Database
from framerr.core.errors import Cancelled, Conflict, FramerrError, Incompatible, Unavailable
from framerr.jobs import queue
from framerr.jobs.models import Run, State, Trigger
from framerr.jobs.progress import Interrupted, Progress, RunProgress, printable

IDLE: Final = 3.0
RETRY_EVERY: Final = 2.0
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class RunContext:
    """What a task is told. `now` is the moment its Run was claimed."""

    uid: str
    kind: str
    subject: str
    params: Mapping[str, Any]
    trigger: Trigger
    requested_by: str | None
    attempt: int
    due_at: datetime | None
    progress: Progress
    now: datetime


Task = Callable[[RunContext], Mapping[str, object] | None]
OnOutcome = Callable[[Session, Run, datetime], None]


@dataclass(frozen=True)
class _Outcome:
    state: State
    result: dict[str, Any] | None = None
    error: str | None = None
    code: str | None = None


class Runner:
    """Worker threads over the queue. Start once, stop once.

    `on_outcome` is called inside the transaction that finishes a Run, so that an event or a retry is written with the
    outcome or not at all; if it fails, the outcome is written without it and the failure is logged. While `paused`,
    nothing is claimed (a locked instance); what already runs goes on.
    """

    def __init__(
        self,
        db: Database,
        tasks: Mapping[str, Task],
        workers: int = 2,
        *,
        on_outcome: OnOutcome | None = None,
        paused: bool = False,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._db, self._tasks, self._on_outcome, self._clock = db, tasks, on_outcome, clock
        self._paused = paused
        self._stopping = Event()
        self._changed = Condition()
        self._changes = 0
        self._threads = [
            Thread(target=self._work, name=f"runner-{number}", daemon=True) for number in range(1, workers + 1)
        ]

    @property
    def paused(self) -> bool:
        return self._paused

    @paused.setter
    def paused(self, value: bool) -> None:
        self._paused = value
        self.wake()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something was queued or became free: look now instead of within three seconds. Call it after the commit."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def stop(self, grace: float) -> bool:
        """Claim nothing more, ask tasks to stop at their next safe point, and wait `grace` seconds at most.

        Says whether all stopped. A Run whose task did not is left running for `queue.recover` at the next boot.
        """
        self._stopping.set()
        self.wake()
        deadline = time.monotonic() + grace
        started = [thread for thread in self._threads if thread.ident is not None]
        for thread in started:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in started)

    def run_here(self, uid: str) -> Run:
        """Execute one queued Run in this thread, for a command, and return it finished; paused or not.

        Raises NotFound, Conflict when it is not waiting or its resource is in use, and DiskFull or Unavailable when the
        outcome cannot be written. KeyboardInterrupt ends the Run as interrupted and is raised again.
        """
        with self._db.writing() as session:
            if queue.get(session, uid).state != "queued":
                raise Conflict("This run is not waiting any more: it was started, finished or cancelled elsewhere.")
            run = queue.claim(session, self._clock(), uid=uid)
        if run is None:
            raise Conflict("This run has to wait: another one uses the same resource, or its retry time has not come.")
        unwritten = self._execute(run, wait_for_disk=False)
        if unwritten is not None:
            raise unwritten
        with self._db.reading() as session:
            finished = queue.get(session, uid)
            session.expunge(finished)  # readable after the session
            return finished

    def _work(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                seen = self._changes
            run = None if self._paused else _attempt(self._claim)
            if isinstance(run, Run):
                self._execute(run, wait_for_disk=True)
                self.wake()
                continue
            if run is not None:
                _log.error("claiming a run failed: %s", run, exc_info=_trace(run))
            with self._changed:
                self._changed.wait_for(partial(self._is_due_to_look, seen), timeout=IDLE)

    def _is_due_to_look(self, seen: int) -> bool:
        return self._changes != seen or self._stopping.is_set()

    def _claim(self) -> Run | None:
        with self._db.writing() as session:
            return queue.claim(session, self._clock())

    def _execute(self, run: Run, *, wait_for_disk: bool) -> BaseException | None:
        """Run the task and write the outcome. Returns the failure that kept it from being written, if any."""
        progress = RunProgress(self._db, run, stopping=self._stopping, clock=self._clock)
        _log.info("run started", extra={"fields": {"run": run.uid, "kind": run.kind, "trigger": run.trigger}})
        result = _attempt(partial(self._call, run, progress))
        outcome = _outcome(run, result)
        unwritten = self._finish(run.uid, progress, outcome, wait_for_disk)
        if unwritten is None:
            _log.info("run finished", extra={"fields": {"run": run.uid, "kind": run.kind, "state": outcome.state}})
        return result if isinstance(result, KeyboardInterrupt) else unwritten

    def _call(self, run: Run, progress: Progress) -> dict[str, Any] | None:
        task = self._tasks.get(run.kind)
        if task is None:
            raise Incompatible(
                f"This version does not know the kind of work {run.kind!r}. Run it with the version that queued it."
            )
        context = RunContext(
            uid=run.uid,
            kind=run.kind,
            subject=run.subject,
            params=run.params,
            trigger=run.trigger,
            requested_by=run.requested_by,
            attempt=run.attempt,
            due_at=run.due_at,
            progress=progress,
            now=run.started_at or self._clock(),
        )
        answer = task(context)
        result = None if answer is None else dict(answer)
        msgspec.json.encode(result)  # what cannot be stored is the task's failure, not the runner's
        return result

    def _finish(self, uid: str, progress: RunProgress, outcome: _Outcome, wait_for_disk: bool) -> BaseException | None:
        """Write the outcome, as often as it takes while the disk is full and the runner is not stopping."""
        hook, is_logged = self._on_outcome, False
        while True:
            failure = _attempt(partial(self._close, uid, progress, outcome, hook))
            if failure is None:
                return None
            if not is_logged:
                words, fields = "the outcome of a run could not be written: %s", {"run": uid}
                _log.error(words, failure, extra={"fields": fields}, exc_info=_trace(failure))
            is_logged = isinstance(failure, Unavailable)
            if not is_logged and hook is not None:
                hook = None
            elif not is_logged or not wait_for_disk or self._stopping.wait(RETRY_EVERY):
                return failure

    def _close(self, uid: str, progress: RunProgress, outcome: _Outcome, hook: OnOutcome | None) -> None:
        now = self._clock()
        with self._db.writing() as session:
            progress.write_into(session)
            run = queue.get(session, uid)
            run.state, run.result = outcome.state, outcome.result
            run.error, run.error_code = outcome.error, outcome.code
            run.finished_at = now
            session.flush()
            if hook is not None:
                hook(session, run, now)


def _attempt(work: Callable[[], _Result]) -> _Result | BaseException:
    """What `work` returns, or what it raises, as a value: a worker thread must outlive anything that runs in it."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - a task is any code, and SystemExit would end the thread in silence
        return error


def _outcome(run: Run, result: dict[str, Any] | BaseException | None) -> _Outcome:
    """The state, and for a failure the sentence that people see. What nobody expected is logged with its traceback."""
    if not isinstance(result, BaseException):
        return _Outcome("done", result=result)
    if isinstance(result, KeyboardInterrupt):
        return _Outcome("interrupted", error="Stopped from the keyboard. Run it again.", code="interrupted")
    if isinstance(result, Cancelled):
        state: State = "interrupted" if isinstance(result, Interrupted) else "cancelled"
        return _Outcome(state, error=printable(result.message), code=result.code)
    error_id = secrets.token_hex(4)
    fields = {"run": run.uid, "kind": run.kind, "error_id": error_id}
    if isinstance(result, FramerrError):
        _log.warning("run failed: %s", result.message, extra={"fields": fields})
        return _Outcome("failed", error=printable(result.message), code=result.code)
    _log.error("run failed unexpectedly", extra={"fields": fields}, exc_info=result)
    words = f"An unexpected error (id {error_id}). The log has its details under that id; run it again, and report it."
    return _Outcome("failed", error=words, code="unexpected")


def _trace(error: BaseException) -> BaseException | None:
    """What the log shows of an error besides its sentence: nothing for one that the product raises on purpose."""
    return None if isinstance(error, FramerrError) else error
