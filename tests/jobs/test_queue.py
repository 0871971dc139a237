"""The queue: one open Run, claimed once, recovered, cancelled, pruned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from framerr.core.db import Database, fates
from framerr.core.errors import NotFound
from framerr.jobs import queue
from framerr.jobs.models import Run, RunLine, State

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def add_closed(session: Session, kind: str, finished_at: datetime, state: State = "done") -> Run:
    run = Run(kind=kind, trigger="manual", state=state, created_at=finished_at, finished_at=finished_at)
    session.add(run)
    session.flush()
    session.add(RunLine(run_id=run.id, at=finished_at, level="info", text="said"))
    return run


def test_a_second_request_gets_the_open_run(db: Database) -> None:
    """T42."""
    with db.writing() as session:
        first, is_new = queue.enqueue(session, "backup", params={"note": "a"}, trigger="manual", now=NOW)
        again, is_new_again = queue.enqueue(session, "backup", params={"note": "b"}, trigger="schedule", now=NOW)
    assert (is_new, is_new_again) == (True, False)
    assert again is first
    assert (first.params, first.trigger, first.state) == ({"note": "a"}, "manual", "queued")


def test_a_closed_run_makes_room_for_a_new_one(db: Database) -> None:
    with db.writing() as session:
        first, _ = queue.enqueue(session, "backup", trigger="manual", now=NOW)
        first.state, first.finished_at = "failed", NOW
        second, is_new = queue.enqueue(session, "backup", trigger="retry", attempt=2, now=NOW)
    assert is_new
    assert (second.uid != first.uid, second.attempt) == (True, 2)


def test_an_immediate_request_pulls_a_waiting_retry_forward(db: Database) -> None:
    with db.writing() as session:
        retry, _ = queue.enqueue(session, "backup", trigger="retry", not_before=NOW + 5 * MINUTE, now=NOW)
        assert queue.claim(session, NOW) is None
        same, is_new = queue.enqueue(session, "backup", trigger="manual", now=NOW)
        assert (same, is_new) == (retry, False)
        assert queue.claim(session, NOW) is retry


def test_a_later_request_leaves_a_waiting_retry_where_it_is(db: Database) -> None:
    with db.writing() as session:
        queue.enqueue(session, "backup", trigger="retry", not_before=NOW + 5 * MINUTE, now=NOW)
        run, _ = queue.enqueue(session, "backup", trigger="retry", not_before=NOW + 9 * MINUTE, now=NOW)
    assert run.not_before == NOW + 5 * MINUTE


def test_eight_threads_that_ask_at_once_get_one_run(db: Database) -> None:
    """T42: 40 rounds; exactly one of the eight made it, all eight were told the same."""
    rounds = 40
    answers: list[tuple[int, str, bool]] = []
    barrier = Barrier(8)

    def ask() -> None:
        for number in range(rounds):
            barrier.wait(timeout=30)
            with db.writing() as session:
                run, is_new = queue.enqueue(session, "backup", subject=str(number), trigger="manual", now=NOW)
            answers.append((number, run.uid, is_new))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 8 * rounds
    for number in range(rounds):
        told = [(uid, is_new) for at, uid, is_new in answers if at == number]
        assert len({uid for uid, _ in told}) == 1
        assert sorted(is_new for _, is_new in told) == [False] * 7 + [True]


def test_the_database_itself_refuses_a_second_open_run(db: Database) -> None:
    states: list[State] = ["queued", "running"]
    runs = [Run(kind="backup", trigger="manual", state=state, created_at=NOW) for state in states]
    with pytest.raises(IntegrityError), db.writing() as session:
        session.add_all(runs)


def test_the_database_itself_refuses_two_running_on_one_resource(db: Database) -> None:
    kinds = ("backup", "restore")
    runs = [Run(kind=kind, resource="data", trigger="manual", state="running", created_at=NOW) for kind in kinds]
    with pytest.raises(IntegrityError), db.writing() as session:
        session.add_all(runs)


def test_the_oldest_run_that_may_start_is_claimed(db: Database) -> None:
    with db.writing() as session:
        waits, _ = queue.enqueue(session, "a", trigger="retry", not_before=NOW + MINUTE, now=NOW)
        first, _ = queue.enqueue(session, "b", resource="site:1", trigger="manual", now=NOW)
        same_site, _ = queue.enqueue(session, "c", resource="site:1", trigger="manual", now=NOW)
        other_site, _ = queue.enqueue(session, "d", resource="site:2", trigger="manual", now=NOW)
        assert [queue.claim(session, NOW) for _ in range(3)] == [first, other_site, None]
        assert (first.state, first.started_at) == ("running", NOW)
        assert queue.claim(session, NOW + MINUTE) is waits
        first.state, first.finished_at = "done", NOW
        session.flush()
        assert queue.claim(session, NOW) is same_site


def test_two_threads_claim_two_hundred_runs_each_once(db: Database) -> None:
    with db.writing() as session:
        for number in range(200):
            queue.enqueue(session, "work", subject=str(number), trigger="system", now=NOW)
    claimed: dict[str, list[str]] = {"one": [], "two": []}

    def take(name: str) -> None:
        while True:
            with db.writing() as session:
                run = queue.claim(session, NOW)
            if run is None:
                return
            claimed[name].append(run.uid)

    threads = [Thread(target=take, args=(name,)) for name in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(claimed["one"]) + len(claimed["two"]) == 200
    assert len({*claimed["one"], *claimed["two"]}) == 200


def test_what_a_process_that_is_gone_left_running_is_interrupted(db: Database) -> None:
    with db.writing() as session:
        orphan, _ = queue.enqueue(session, "backup", trigger="schedule", now=NOW)
        waiting, _ = queue.enqueue(session, "housekeeping", trigger="schedule", now=NOW)
        queue.claim(session, NOW)
        assert queue.recover(session, NOW + MINUTE) == [orphan]
        assert (orphan.state, orphan.finished_at, orphan.error_code) == ("interrupted", NOW + MINUTE, "interrupted")
        assert orphan.error == "Framerr was stopped while this was running. Run it again if it is still wanted."
        assert waiting.state == "queued"
        assert queue.recover(session, NOW + MINUTE) == []


def test_a_queued_run_is_cancelled_at_once(db: Database) -> None:
    with db.writing() as session:
        run, _ = queue.enqueue(session, "backup", trigger="manual", now=NOW)
        queue.request_cancel(session, run.uid, NOW + MINUTE)
        assert (run.state, run.finished_at, run.cancel_requested_at) == ("cancelled", NOW + MINUTE, NOW + MINUTE)
        assert queue.claim(session, NOW + MINUTE) is None


def test_a_running_run_is_asked_once_and_a_closed_one_is_left(db: Database) -> None:
    with db.writing() as session:
        run, _ = queue.enqueue(session, "backup", trigger="manual", now=NOW)
        queue.claim(session, NOW)
        for minutes in (1, 2):
            queue.request_cancel(session, run.uid, NOW + minutes * MINUTE)
        assert (run.state, run.cancel_requested_at) == ("running", NOW + MINUTE)
        run.state, run.finished_at, run.cancel_requested_at = "done", NOW, None
        assert queue.request_cancel(session, run.uid, NOW).cancel_requested_at is None


def test_an_unknown_run_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound), db.writing() as session:
        queue.request_cancel(session, "nothing", NOW)


def test_history_keeps_ninety_days_and_the_newest_five_hundred(db: Database) -> None:
    old, fresh = NOW - timedelta(days=91), NOW - timedelta(days=89)
    with db.writing() as session:
        gone = add_closed(session, "work", old)
        kept_by_age = add_closed(session, "work", fresh)
        kept_by_number = [add_closed(session, "work", old) for _ in range(500)]
        queue.enqueue(session, "work", trigger="manual", now=old)
        assert queue.prune(session, NOW) == 1
        assert queue.prune(session, NOW) == 0
        left = set(session.scalars(select(Run.uid).where(Run.state == "done")))
        assert left == {kept_by_age.uid, *(run.uid for run in kept_by_number)}
        assert gone.uid not in left
        assert session.scalar(select(func.count()).select_from(RunLine)) == 501
        assert len(queue.open_runs(session)) == 1


def test_pages_of_history_newest_first(db: Database) -> None:
    with db.writing() as session:
        runs = [add_closed(session, str(number), NOW) for number in range(5)]
        queue.enqueue(session, "open", trigger="manual", now=NOW)
        first_page = queue.recent(session, 2)
        assert list(first_page) == [runs[4], runs[3]]
        assert list(queue.recent(session, 9, first_page[-1].uid)) == [runs[2], runs[1], runs[0]]
        assert list(queue.recent(session, 9, runs[0].uid)) == []
        assert [line.text for line in queue.lines(session, runs[0])] == ["said"]


def test_open_runs_lists_what_runs_before_what_waits(db: Database) -> None:
    with db.writing() as session:
        waits, _ = queue.enqueue(session, "a", trigger="retry", not_before=NOW + MINUTE, now=NOW)
        runs, _ = queue.enqueue(session, "b", trigger="manual", now=NOW)
        queue.claim(session, NOW)
        assert list(queue.open_runs(session)) == [runs, waits]
        assert queue.latest(session, "b") is runs
        assert queue.latest(session, "b", "other") is None


def test_a_backup_takes_closed_runs_with_their_lines_and_no_line_dangles(db: Database) -> None:
    """The fates of the two tables agree: what an archive leaves out, applied to the live rows."""
    with db.writing() as session:
        kept = add_closed(session, "old", NOW)
        for kind in ("running", "waiting"):
            run, _ = queue.enqueue(session, kind, trigger="manual", now=NOW)
            session.add(RunLine(run_id=run.id, at=NOW, level="info", text="live"))
        queue.claim(session, NOW)
    with db.writing() as session:
        for table in ("run_lines", "runs"):
            session.execute(text(f"delete from {table} where not ({fates()[table].keep_where})"))
        assert list(session.scalars(select(Run.uid))) == [kept.uid]
        assert list(session.scalars(select(RunLine.text))) == ["said"]
    assert db.check() == []
