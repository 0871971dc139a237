"""Runs executed by real threads: every way a task can end, and every way a runner can stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy.orm import Session

from framerr.core.clock import utcnow
from framerr.core.db import Database
from framerr.core.errors import Conflict, DiskFull, NotFound, Unavailable
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.jobs.runner import RunContext, Runner, Task

DEADLINE = 20.0


def nothing(_context: RunContext) -> None:
    return None


def failing(error: BaseException) -> Task:
    def task(_context: RunContext) -> None:
        raise error

    return task


@contextmanager
def running(runner: Runner) -> Iterator[Runner]:
    runner.start()
    try:
        yield runner
    finally:
        runner.stop(DEADLINE)


def queued(db: Database, kind: str = "work", subject: str = "", **more: object) -> str:
    with db.writing() as session:
        return queue.enqueue(session, kind, subject=subject, trigger="manual", now=utcnow(), **more)[0].uid


def look(db: Database, uid: str) -> Run:
    with db.reading() as session:
        run = queue.get(session, uid)
        session.expunge(run)
        return run


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        Event().wait(0.005)


def closed(db: Database, uid: str) -> Run:
    wait_until(lambda: not look(db, uid).is_open)
    return look(db, uid)


def run_once(db: Database, task: Task) -> Run:
    uid = queued(db)
    with running(Runner(db, {"work": task})):
        return closed(db, uid)


def test_a_task_is_told_what_it_needs_and_its_result_is_kept(db: Database) -> None:
    seen: list[RunContext] = []

    def task(context: RunContext) -> Mapping[str, object]:
        seen.append(context)
        context.progress.plan(1)
        context.progress.stage("Counting", 3, "files")
        context.progress.advance(3)
        context.progress.note("three counted")
        return {"files": 3}

    due = datetime(2026, 6, 1, 2, tzinfo=UTC)
    uid = queued(db, subject="blog", params={"deep": True}, requested_by="ada", due_at=due, attempt=2)
    with running(Runner(db, {"work": task})):
        run = closed(db, uid)
    (context,) = seen
    assert (context.uid, context.kind, context.subject, context.params) == (uid, "work", "blog", {"deep": True})
    assert (context.trigger, context.requested_by, context.attempt, context.due_at) == ("manual", "ada", 2, due)
    assert context.now == run.started_at
    assert (run.state, run.result, run.error, run.error_code) == ("done", {"files": 3}, None, None)
    assert (run.stage, run.step, run.steps, run.done, run.total, run.percent) == ("Counting", 1, 1, 3, 3, 100)
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.created_at <= run.started_at <= run.finished_at
    with db.reading() as session:
        assert [line.text for line in queue.lines(session, run)] == ["three counted"]


def test_a_failure_on_purpose_shows_its_sentence(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Also in the log, where a traceback would only hide it."""
    sentence = "The disk is full: /config/backups. Free some space and try again."
    run = run_once(db, failing(DiskFull(sentence, path=Path("/config/backups"))))
    assert (run.state, run.error, run.error_code, run.result) == ("failed", sentence, "disk_full", None)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (record.getMessage(), record.exc_info) == (f"run failed: {sentence}", None)


def test_an_unexpected_failure_shows_an_id_that_is_in_the_log_with_the_traceback(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_once(db, failing(ZeroDivisionError("secret detail")))
    (record,) = [record for record in caplog.records if record.getMessage() == "run failed unexpectedly"]
    error_id = record.__dict__["fields"]["error_id"]
    assert (run.state, run.error_code) == ("failed", "unexpected")
    assert run.error == (
        f"An unexpected error (id {error_id}). The log has its details under that id; run it again, and report it."
    )
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert record.__dict__["fields"]["run"] == run.uid


@pytest.mark.parametrize("error", [SystemExit(3), MemoryError(), KeyError("x"), RecursionError()])
def test_no_failure_ends_the_worker(db: Database, error: BaseException) -> None:
    first, second = queued(db, "bad"), queued(db, "good")
    with running(Runner(db, {"bad": failing(error), "good": nothing}, workers=1)):
        assert closed(db, second).state == "done"
    assert look(db, first).state == "failed"


def test_a_result_that_cannot_be_stored_is_a_failure_of_the_task(db: Database) -> None:
    assert run_once(db, lambda _context: {"open file": sys.stderr}).error_code == "unexpected"


def test_an_unknown_kind_fails_in_words(db: Database) -> None:
    uid = queued(db, "teleport")
    with running(Runner(db, {})):
        run = closed(db, uid)
    assert (run.state, run.error_code) == ("failed", "incompatible")
    assert run.error == (
        "This version does not know the kind of work 'teleport'. Run it with the version that queued it."
    )


def test_a_run_cancelled_while_queued_is_never_started(db: Database) -> None:
    ran: list[str] = []
    uid = queued(db)
    with db.writing() as session:
        queue.request_cancel(session, uid, utcnow())
    after = queued(db, "after")
    with running(Runner(db, {"work": lambda context: ran.append(context.uid), "after": nothing}, workers=1)):
        closed(db, after)
    assert (ran, look(db, uid).state) == ([], "cancelled")


def test_a_run_cancelled_while_running_stops_at_its_next_safe_point(db: Database) -> None:
    begun = Event()

    def task(context: RunContext) -> None:
        context.progress.stage("Working")
        begun.set()
        while True:
            context.progress.check()
            Event().wait(0.005)

    uid = queued(db)
    with running(Runner(db, {"work": task})):
        assert begun.wait(DEADLINE)
        with db.writing() as session:
            queue.request_cancel(session, uid, utcnow())
        run = closed(db, uid)
    assert (run.state, run.error, run.error_code) == ("cancelled", "Cancelled at a safe point.", "cancelled")


def test_stopping_interrupts_a_run_at_its_next_safe_point_and_claims_nothing_more(db: Database) -> None:
    begun = Event()

    def task(context: RunContext) -> None:
        begun.set()
        while True:
            context.progress.check()
            Event().wait(0.005)

    first, second = queued(db, "work"), queued(db, "later")
    runner = Runner(db, {"work": task, "later": nothing}, workers=1)
    runner.start()
    assert begun.wait(DEADLINE)
    assert runner.stop(DEADLINE) is True
    run = look(db, first)
    assert (run.state, run.error_code) == ("interrupted", "interrupted")
    assert run.error == "Stopped at a safe point because Framerr is shutting down. Run it again afterwards."
    assert look(db, second).state == "queued"


def test_a_task_that_does_not_stop_in_time_is_reported_and_recovered_at_boot(db: Database) -> None:
    begun, release = Event(), Event()

    def task(_context: RunContext) -> None:
        begun.set()
        release.wait(DEADLINE)

    uid = queued(db)
    runner = Runner(db, {"work": task}, workers=1)
    runner.start()
    assert begun.wait(DEADLINE)
    assert runner.stop(0.05) is False
    with db.writing() as session:
        assert [run.uid for run in queue.recover(session, utcnow())] == [uid]
    release.set()
    assert runner.stop(DEADLINE) is True


def test_stopping_a_runner_that_never_started(db: Database) -> None:
    assert Runner(db, {}).stop(0) is True


def test_waking_starts_a_run_without_waiting_for_the_next_look(db: Database) -> None:
    with running(Runner(db, {"work": nothing})) as runner:
        for _ in range(5):
            begun = time.monotonic()
            uid = queued(db)
            runner.wake()
            closed(db, uid)
            assert time.monotonic() - begun < 2.5


def test_a_run_of_a_busy_resource_starts_as_soon_as_it_is_free(db: Database) -> None:
    order: list[str] = []

    def task(context: RunContext) -> None:
        order.append(f"{context.subject} begins")
        order.append(f"{context.subject} ends")

    uids = [queued(db, "work", subject, resource="site:1") for subject in ("a", "b", "c")]
    with running(Runner(db, {"work": task}, workers=3)):
        for uid in uids:
            assert closed(db, uid).state == "done"
    assert order == [f"{subject} {word}" for subject in ("a", "b", "c") for word in ("begins", "ends")]


def test_nothing_is_claimed_while_paused(db: Database) -> None:
    uid = queued(db)
    with running(Runner(db, {"work": nothing}, paused=True)) as runner:
        runner.wake()
        Event().wait(0.1)
        assert look(db, uid).state == "queued"
        runner.paused = False
        assert closed(db, uid).state == "done"


def test_an_outcome_and_its_retry_are_one_transaction(db: Database) -> None:
    """A failed scheduled run leaves a waiting retry; the partial index sees the failed one closed."""

    def retry(session: Session, run: Run, now: datetime) -> None:
        later = now + timedelta(minutes=5)
        queue.enqueue(session, run.kind, trigger="retry", attempt=run.attempt + 1, not_before=later, now=now)

    uid = queued(db)
    with running(Runner(db, {"work": failing(Unavailable("The share is away."))}, on_outcome=retry)):
        failed = closed(db, uid)
        with db.reading() as session:
            open_run = queue.open_run(session, "work")
            assert open_run is not None
            waiting = look(db, open_run.uid)
    assert failed.finished_at is not None
    assert (waiting.trigger, waiting.attempt) == ("retry", 2)
    assert waiting.not_before == failed.finished_at + timedelta(minutes=5)


def test_a_failure_in_what_follows_an_outcome_does_not_lose_the_outcome(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def follow(session: Session, run: Run, _now: datetime) -> None:
        run.result = {"half": "done"}
        session.flush()
        raise ValueError("a bug")

    uid = queued(db)
    with running(Runner(db, {"work": lambda _context: {"files": 1}}, on_outcome=follow)):
        run = closed(db, uid)
    assert (run.state, run.result) == ("done", {"files": 1})
    assert "the outcome of a run could not be written" in caplog.text


def test_an_outcome_waits_for_room_on_a_full_disk(
    db: Database, full_disk: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """T04: the worker survives, and the outcome is written once space is freed, without a restart."""
    uid = queued(db)

    def task(_context: RunContext) -> Mapping[str, object]:
        full_disk.set()
        return {"report": "x" * 20_000}

    with running(Runner(db, {"work": task, "next": nothing}, workers=1)) as runner:
        wait_until(lambda: "the outcome of a run could not be written" in caplog.text)
        assert look(db, uid).state == "running"
        full_disk.clear()
        assert closed(db, uid).state == "done"
        after = queued(db, "next")
        runner.wake()
        assert closed(db, after).state == "done"


def test_a_runner_can_stop_while_an_outcome_waits_for_room(
    db: Database, full_disk: Event, caplog: pytest.LogCaptureFixture
) -> None:
    uid = queued(db)

    def task(_context: RunContext) -> Mapping[str, object]:
        full_disk.set()
        return {"report": "x" * 20_000}

    runner = Runner(db, {"work": task}, workers=1)
    runner.start()
    wait_until(lambda: "the outcome of a run could not be written" in caplog.text)
    assert runner.stop(DEADLINE) is True
    assert look(db, uid).state == "running"


def test_a_command_executes_one_run_in_its_own_thread(db: Database) -> None:
    other, uid = queued(db, "other"), queued(db)
    runner = Runner(db, {"work": lambda _context: {"files": 1}}, paused=True)
    run = runner.run_here(uid)
    assert (run.state, run.result) == ("done", {"files": 1})
    assert look(db, other).state == "queued"


def test_a_command_cannot_execute_what_is_not_waiting(db: Database) -> None:
    runner = Runner(db, {"work": nothing})
    uid = queued(db)
    runner.run_here(uid)
    with pytest.raises(Conflict):
        runner.run_here(uid)
    with pytest.raises(NotFound):
        runner.run_here("nothing")


def test_a_command_does_not_share_a_resource(db: Database) -> None:
    holder, uid = queued(db, "holder", resource="data"), queued(db, "work", resource="data")
    with db.writing() as session:
        queue.claim(session, utcnow(), uid=holder)
    with pytest.raises(Conflict):
        Runner(db, {"work": nothing}).run_here(uid)
    assert look(db, uid).state == "queued"


def test_a_command_stopped_from_the_keyboard_leaves_an_interrupted_run(db: Database) -> None:
    uid = queued(db)
    with pytest.raises(KeyboardInterrupt):
        Runner(db, {"work": failing(KeyboardInterrupt())}).run_here(uid)
    assert look(db, uid).state == "interrupted"


def test_a_command_says_that_the_disk_is_full(db: Database, full_disk: Event) -> None:
    uid = queued(db)

    def task(_context: RunContext) -> Mapping[str, object]:
        full_disk.set()
        return {"report": "x" * 20_000}

    with pytest.raises(DiskFull):
        Runner(db, {"work": task}).run_here(uid)
