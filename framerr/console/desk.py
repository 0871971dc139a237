"""Answering a command on an open appliance: the same for a running process and for a stopped instance."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from framerr.appliance import Appliance
from framerr.console.following import Follower, Tell, result_of
from framerr.core.clock import utcnow
from framerr.core.errors import Conflict, InvalidInput
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.jobs.runner import Runner

Result = Mapping[str, Any] | list[Any]
ACTOR = "command line"


@dataclass(frozen=True)
class Desk:
    """What an action works with: the appliance, how a queued Run is brought to its end, what comes after a state was
    prepared for the next boot, and whether nobody else works on the appliance."""

    appliance: Appliance
    finish: Callable[[str], Run]
    afterwards: str
    is_alone: bool

    def run(self, kind: str, *, subject: str = "", params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Queue a Run, or join the one that is open, and return its result, `joined` in it. Raises what it failed with."""
        with self.appliance.db.writing() as session:
            run, is_new = self._enqueue(session, kind, subject, params)
        return {**result_of(self.finish(run.uid), self.appliance.paths.root), "joined": not is_new}

    def run_own(self, kind: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Queue a Run that nobody else's may stand for, and return its result.

        What waits on an instance that is stopped is cancelled. Raises Conflict when another one is open on one that
        runs, and what the Run failed with.
        """
        with self.appliance.db.writing() as session:
            run, is_new = self._enqueue(session, kind, "", params)
            if not is_new and not self.is_alone:
                raise Conflict(f"Another {kind} is under way. Wait for its end, or cancel it on the Activity page.")
            if not is_new:
                queue.request_cancel(session, run.uid, utcnow())
                run, _ = self._enqueue(session, kind, "", params)
        return result_of(self.finish(run.uid), self.appliance.paths.root)

    def _enqueue(self, session: Session, kind: str, subject: str, params: Mapping[str, Any] | None) -> tuple[Run, bool]:
        return queue.enqueue(
            session, kind, subject=subject, params=params, trigger="manual", requested_by=ACTOR, now=utcnow()
        )


@dataclass(frozen=True)
class Action:
    """One entry of the table: what it is given, checked against a struct, and what it does."""

    params: type[msgspec.Struct]
    perform: Callable[[Desk, Any], Result]

    def do(self, desk: Desk, params: Mapping[str, Any]) -> Result:
        """Raises InvalidInput for parameters that do not fit, and what the action raises."""
        try:
            given = msgspec.convert(dict(params), self.params)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"The command cannot be understood: {error}.") from None
        return self.perform(desk, given)


def in_process(appliance: Appliance, tell: Tell, stop: threading.Event) -> Desk:
    """A desk in the process that runs the instance: its runner executes, this thread only watches."""

    def finish(uid: str) -> Run:
        appliance.lifecycle.wake()
        return Follower(appliance.db, uid, tell).until_closed(stop)

    return Desk(appliance, finish, "Framerr restarts now to put it in.", is_alone=False)


def alone(appliance: Appliance, runner: Runner, tell: Tell) -> Desk:
    """A desk on an instance that nobody runs: the Run is executed beside this thread, which tells the news.

    Ctrl-C cancels the Run at its next safe point.
    """

    def finish(uid: str) -> Run:
        ended = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(runner.run_here, uid)
            work.add_done_callback(lambda _: ended.set())
            try:
                Follower(appliance.db, uid, tell).until_closed(ended)
            except KeyboardInterrupt:
                with appliance.db.writing() as session:
                    queue.request_cancel(session, uid, utcnow())
            return work.result()

    return Desk(appliance, finish, "It is in place when Framerr is started.", is_alone=True)
