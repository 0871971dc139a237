"""A process with a runner is killed again and again: no Run is lost, none is executed twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Event

import pytest

from framerr.core.clock import utcnow
from framerr.core.db import Base, Database
from framerr.jobs import queue
from framerr.jobs.models import Run

RUNS = 150
WORKER = """
import sys
from pathlib import Path
from threading import Event
from framerr.core.db import Database
from framerr.jobs.runner import Runner

ledger = Path(sys.argv[2]).open("a", buffering=1)

def task(context):
    ledger.write(f"begin {context.uid}\\n")
    context.progress.stage("Working", 3, "steps")
    for number in range(3):
        Event().wait(0.003)
        context.progress.advance()
        context.progress.note(f"step {number}")
    ledger.write(f"end {context.uid}\\n")
    return {"steps": 3}

Runner(Database(Path(sys.argv[1])), {"work": task}, workers=3).start()
print("up", flush=True)
Event().wait()
"""


@pytest.mark.torture
@pytest.mark.timeout(300)
def test_a_runner_killed_at_any_moment_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Issue 2, recovery: kill -9 after 20 to 400 ms of work, until everything is closed."""
    path, ledger = tmp_path / "framerr.db", tmp_path / "ledger"
    db = Database(path)
    Base.metadata.create_all(db.engine)
    with db.writing() as session:
        uids = {
            queue.enqueue(session, "work", subject=str(n), trigger="system", now=utcnow())[0].uid for n in range(RUNS)
        }
    moments, kills = random.Random(42), 0
    while kills < 40 and _count_open(db) > 0:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path), str(ledger)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "up\n"
            deadline = time.monotonic() + moments.uniform(0.02, 0.4)
            while time.monotonic() < deadline:
                Event().wait(0.005)
        finally:
            worker.kill()
            worker.communicate()
        kills += 1
        with db.writing() as session:
            queue.recover(session, utcnow())
        assert db.check() == []
    _check_the_books(db, uids, ledger.read_text().split("\n"))
    db.close()


def _count_open(db: Database) -> int:
    with db.reading() as session:
        return len(queue.open_runs(session))


def _check_the_books(db: Database, uids: set[str], ledger: list[str]) -> None:
    begun = Counter(line.removeprefix("begin ") for line in ledger if line.startswith("begin "))
    ended = Counter(line.removeprefix("end ") for line in ledger if line.startswith("end "))
    with db.reading() as session:
        runs = {run.uid: _facts(run, len(queue.lines(session, run))) for run in queue.recent(session, 2 * RUNS)}
    assert set(runs) == uids
    assert set(begun.values()) == {1}
    assert {state for state, _, _ in runs.values()} == {"done", "interrupted"}
    for uid, (state, result, lines) in runs.items():
        if state == "done":
            assert (begun[uid], ended[uid], result, lines) == (1, 1, {"steps": 3}, 3)
        else:
            assert begun[uid] <= 1


def _facts(run: Run, lines: int) -> tuple[str, object, int]:
    return run.state, run.result, lines
