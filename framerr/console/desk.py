"""Answering a command on an open appliance: the same for a running process and for a stopped instance."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec

from framerr.appliance import Appliance
from framerr.console.following import Follower, Tell, result_of
from framerr.core.clock import utcnow
from framerr.core.errors import InvalidInput
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.jobs.runner import Runner

Result = Mapping[str, Any] | list[Any]
ACTOR = "command line"


@dataclass(frozen=True)
class Desk:
    """What an action works with: the appliance, how a queued Run is brought to its end, and what comes after a state was
    prepared for the next boot."""

    appliance: Appliance
    finish: Callable[[str], Run]
    afterwards: str

    def run(self, kind: str, *, subject: str = "", params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Queue a Run, or join the one that is open, and return its result. Raises what it failed with."""
        with self.appliance.db.writing() as session:
            run, _ = queue.enqueue(
                session, kind, subject=subject, params=params, trigger="manual", requested_by=ACTOR, now=utcnow()
            )
        return result_of(self.finish(run.uid), self.appliance.paths.root)


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

    return Desk(appliance, finish, "Framerr restarts now to put it in.")


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

    return Desk(appliance, finish, "It is in place when Framerr is started.")
