"""Start Fresh: all or nothing, once, also when requests race (R-002-29, issue 2, Setup wizard)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from framerr.accounts import users
from framerr.accounts.models import User
from framerr.accounts.passwords import verify_password
from framerr.backups import swap
from framerr.core.db import Base, Database
from framerr.core.errors import Conflict, FramerrError, InvalidInput
from framerr.core.paths import Paths
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.observability import audit, events
from framerr.settings import store
from framerr.settings.models import Instance
from framerr.setup import code, finish

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
ANSWERS: dict[str, Any] = {
    "username": "alice",
    "password": PASSWORD,
    "display_name": "Alice",
    "instance_name": "Studio",
    "time_zone": "Europe/Berlin",
    "rule": finish.PRESET,
    "max_backups": "7",
    "address": "192.0.2.10",
}


def start(db: Database, paths: Paths, **answers: Any) -> User:
    return finish.start_fresh(db, paths, now=NOW, **(ANSWERS | answers))


def rows(db: Database) -> dict[str, int]:
    with db.reading() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: count for table in tables if (count := len(session.execute(select(table)).all()))}


def test_it_makes_everything_an_instance_needs(db: Database, paths: Paths) -> None:
    code.load_or_make(paths, None)

    made = start(db, paths)

    assert (made.username, made.display_name, made.role) == ("alice", "Alice", "administrator")
    assert verify_password(made.password_hash, PASSWORD)
    with db.reading() as session:
        values = store.read(session)
        assert (values.instance_name, values.time_zone, values.max_backups) == ("Studio", "Europe/Berlin", 7)
        schedule = schedules.get(session, finish.BACKUP)
        assert schedule is not None
        assert schedule.rule == Rule("daily", 4)
        assert schedule.next_due_at == datetime(2026, 3, 11, 3, 0, tzinfo=UTC)  # 4 AM in Berlin
        (event,) = events.recent(session)
        assert (event.kind, event.text) == ("setup.finished", "Alice set up Studio. Backups: daily.")
        (entry,) = audit.recent(session)
        assert (entry.actor, entry.action, entry.subject) == ("alice", "setup.start-fresh", "Studio")
        assert entry.address == "192.0.2.10"
        assert session.get(Instance, 1) is not None
    assert not paths.setup_code.exists()


def test_a_schedule_that_is_off_is_kept_as_off(db: Database, paths: Paths) -> None:
    start(db, paths, rule=Rule("off", 4))

    with db.reading() as session:
        schedule = schedules.get(session, finish.BACKUP)
        assert schedule is not None
        assert (schedule.frequency, schedule.next_due_at) == ("off", None)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "al ice"}, "username"),
        ({"password": "short"}, "password"),
        ({"password": "ALICE"}, "password"),
        ({"display_name": "a\nb"}, "display_name"),
        ({"instance_name": " "}, "instance.name"),
        ({"time_zone": "Berlin"}, "instance.time_zone"),
        ({"max_backups": "0"}, "backups.max"),
        ({"max_backups": None}, "backups.max"),
        ({"max_backups": "-7"}, "backups.max"),
    ],
)
def test_one_bad_answer_makes_nothing(db: Database, paths: Paths, answer: dict[str, Any], field: str) -> None:
    code.load_or_make(paths, None)

    with pytest.raises(InvalidInput) as refused:
        start(db, paths, **answer)

    assert refused.value.field == field
    assert rows(db) == {}
    assert paths.setup_code.exists()


def test_it_cannot_be_replayed(db: Database, paths: Paths) -> None:
    start(db, paths)
    before = rows(db)

    with pytest.raises(Conflict, match="already set up"):
        start(db, paths, username="mallory")

    assert rows(db) == before
    with db.reading() as session:
        assert users.find_by_username(session, "mallory") is None


def test_eight_requests_that_race_make_one_administrator(db: Database, paths: Paths) -> None:
    """Four parallel setup requests made four administrators at the peer (figures.md)."""
    barrier = threading.Barrier(8)
    won: list[str] = []
    lost: list[FramerrError] = []

    def race(number: int) -> None:
        barrier.wait()
        try:
            won.append(start(db, paths, username=f"racer{number}").username)
        except FramerrError as error:
            lost.append(error)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert [type(error) for error in lost] == [Conflict] * 7
    with db.reading() as session:
        assert session.scalars(select(User.username)).all() == won
        assert len(events.recent(session)) == len(audit.recent(session)) == 1


def ask_for_restore(db: Database) -> str:
    """As the wizard does, in one transaction."""
    with db.writing() as session:
        finish.check_unused(session)
        return queue.enqueue(session, finish.RESTORE, trigger="manual", requested_by="setup", now=NOW)[0].uid


def test_a_restore_under_way_refuses_start_fresh(db: Database, paths: Paths) -> None:
    """The administrator made meanwhile would vanish with the restart."""
    uid = ask_for_restore(db)

    with pytest.raises(Conflict, match="being restored into this instance"):
        start(db, paths)

    with db.writing() as session:
        assert users.count_users(session) == 0
        queue.request_cancel(session, uid, NOW)
    start(db, paths)


@pytest.mark.parametrize("marker", ["restore_pending", "restore_trial", "restore_return"])
def test_a_state_that_is_being_exchanged_refuses_start_fresh(db: Database, paths: Paths, marker: str) -> None:
    """Its Run is done by then."""
    swap.announce(paths, swap.Marker(swaps=[swap.data_swap(paths)]))
    paths.restore_pending.rename(getattr(paths, marker))

    with pytest.raises(Conflict, match="A restore"):
        start(db, paths)

    with db.reading() as session:
        assert users.count_users(session) == 0


def test_start_fresh_and_restore_that_race_leave_one_of_the_two(db: Database, paths: Paths) -> None:
    """Whichever comes first, the other is refused."""
    barrier = threading.Barrier(2)
    lost: list[str] = []

    def race(name: str, act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except Conflict:
            lost.append(name)

    ways: dict[str, Callable[[], object]] = {"fresh": lambda: start(db, paths), "restore": lambda: ask_for_restore(db)}
    threads = [threading.Thread(target=race, args=way) for way in ways.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(lost) == 1
    with db.reading() as session:
        left = (users.count_users(session), queue.open_run(session, finish.RESTORE) is not None)
    assert left == ((1, False) if lost == ["restore"] else (0, True))


def test_a_code_file_that_cannot_be_removed_does_not_undo_the_setup(db: Database, paths: Paths) -> None:
    paths.setup_code.mkdir()

    start(db, paths)

    with db.reading() as session:
        assert users.count_users(session) == 1


def test_the_password_is_nowhere_in_the_folder(db: Database, paths: Paths) -> None:
    start(db, paths)
    db.checkpoint()

    files = [path for path in paths.root.rglob("*") if path.is_file()]
    assert paths.database in files
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files)
