"""What a task says about its progress, and when it hears that it should stop."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event

import pytest
from sqlalchemy import event

from framerr.core.db import Database
from framerr.core.errors import Cancelled
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.jobs.progress import MAX_LINES, Interrupted, Progress, RunProgress, printable

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Watch:
    """A stop watch that stands still until it is told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def run(db: Database) -> Run:
    with db.writing() as session:
        queue.enqueue(session, "backup", trigger="manual", now=NOW)
        claimed = queue.claim(session, NOW)
    assert claimed is not None
    return claimed


def progress_of(db: Database, run: Run, watch: Watch, stopping: Event | None = None) -> RunProgress:
    return RunProgress(db, run, stopping=stopping or Event(), clock=lambda: NOW, pulse=watch)


def shown(db: Database, run: Run) -> tuple[str, int, int, int, int, str]:
    with db.reading() as session:
        row = queue.get(session, run.uid)
        return row.stage, row.step, row.steps, row.done, row.total, row.unit


def texts(db: Database, run: Run) -> list[str]:
    with db.reading() as session:
        return [line.text for line in queue.lines(session, run)]


def test_a_stage_is_shown_at_once_with_its_number(db: Database, run: Run) -> None:
    progress = progress_of(db, run, Watch())
    progress.plan(5)
    progress.stage("Copying the database")
    progress.stage("Packing", 2000, "bytes")
    assert shown(db, run) == ("Packing", 2, 5, 0, 2000, "bytes")


def test_advancing_is_written_four_times_a_second_at_most(db: Database, run: Run) -> None:
    watch, commits = Watch(), []
    progress = progress_of(db, run, watch)
    progress.stage("Packing", 1000, "files")
    event.listen(db.engine, "commit", commits.append)
    for _ in range(1000):
        watch.seconds += 0.01
        progress.advance()
    assert 36 <= len(commits) <= 40
    assert 970 <= shown(db, run)[3] <= 1000


def test_progress_never_goes_back_nor_past_its_total(db: Database, run: Run) -> None:
    watch = Watch()
    progress = progress_of(db, run, watch)
    progress.stage("Packing", 10, "files")
    for n, expected in ((4, (4, 10)), (-3, (4, 10)), (8, (12, 12))):
        watch.seconds += 1
        progress.advance(n)
        assert shown(db, run)[3:5] == expected


def test_more_stages_than_planned_raise_the_plan(db: Database, run: Run) -> None:
    progress = progress_of(db, run, Watch())
    progress.plan(1)
    progress.stage("One")
    progress.stage("Two")
    assert shown(db, run)[:3] == ("Two", 2, 2)


def test_notes_are_kept_in_order_and_end_at_a_thousand(db: Database, run: Run) -> None:
    watch = Watch()
    progress = progress_of(db, run, watch)
    for number in range(MAX_LINES + 50):
        progress.note(f"line {number}")
    watch.seconds += 1
    progress.stage("Next")
    found = texts(db, run)
    assert found[:2] == ["line 0", "line 1"]
    assert found[999:] == ["line 999", "Only the first 1000 lines of a run are kept; the rest is left out."]


def test_names_that_are_no_text_are_written_all_the_same(db: Database, run: Run) -> None:
    progress = progress_of(db, run, Watch())
    name = b"icon-\xff.png".decode("utf-8", "surrogateescape")
    progress.note(f"unreadable: {name}")
    assert texts(db, run) == ["unreadable: icon-\\udcff.png"]


def test_long_words_are_shortened() -> None:
    assert printable("x" * 3000) == "x" * 1999 + "…"
    assert printable("x" * 2000) == "x" * 2000


def test_a_request_to_cancel_is_heard_at_the_next_safe_point(db: Database, run: Run) -> None:
    watch = Watch()
    progress = progress_of(db, run, watch)
    progress.check()
    with db.writing() as session:
        queue.request_cancel(session, run.uid, NOW)
    progress.check()  # looked a moment ago
    watch.seconds += 0.25
    with pytest.raises(Cancelled) as heard:
        progress.check()
    assert type(heard.value) is Cancelled
    with pytest.raises(Cancelled):
        progress.check()


def test_past_the_point_of_no_return_nothing_is_raised(db: Database, run: Run) -> None:
    watch, stopping = Watch(), Event()
    progress = progress_of(db, run, watch, stopping)
    progress.safe_to_cancel(False)
    with db.writing() as session:
        assert queue.request_cancel(session, run.uid, NOW).cancellable is False
    stopping.set()
    watch.seconds += 1
    progress.check()
    progress.safe_to_cancel(True)
    with pytest.raises(Cancelled):
        progress.check()


def test_the_last_safe_point_looks_however_recently_it_looked(db: Database, run: Run) -> None:
    progress = progress_of(db, run, Watch())
    progress.check()
    with db.writing() as session:
        queue.request_cancel(session, run.uid, NOW)
    with pytest.raises(Cancelled):
        progress.safe_to_cancel(False)
    with db.reading() as session:
        assert queue.get(session, run.uid).cancellable is True


def test_a_shutdown_is_heard_without_asking_the_database(db: Database, run: Run) -> None:
    stopping = Event()
    progress = progress_of(db, run, Watch(), stopping)
    progress.check()
    stopping.set()
    with pytest.raises(Interrupted):
        progress.check()


def test_a_full_disk_delays_progress_and_does_not_end_the_task(db: Database, run: Run, full_disk: Event) -> None:
    """T04's neighbour: what could not be written is written once there is room."""
    watch = Watch()
    progress = progress_of(db, run, watch)
    full_disk.set()
    for number in range(40):
        watch.seconds += 1
        progress.note(f"{number} " + "x" * 1900)
    assert len(texts(db, run)) <= 2
    full_disk.clear()
    progress.stage("Packing", 10, "files")
    assert shown(db, run)[0] == "Packing"
    assert [line.split()[0] for line in texts(db, run)] == [str(number) for number in range(40)]


def test_a_plain_progress_does_nothing() -> None:
    progress = Progress()
    progress.plan(2)
    progress.stage("One", 1, "steps")
    progress.advance()
    progress.note("said", "warn")
    progress.safe_to_cancel(False)
    progress.check()
