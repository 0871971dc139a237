"""Two doors to one database, and errors that say which file and what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Integer, MetaData, String, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from framerr.core.db import Database, Json, UtcDateTime, as_text, new_uid, open_file, structure_faults
from framerr.core.errors import Corrupt, DiskFull, Unavailable


class Tables(DeclarativeBase):
    """Tables of this test only, kept away from the product's schema."""

    metadata = MetaData()


class Note(Tables):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(String, unique=True)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    facts: Mapped[object] = mapped_column(Json, nullable=True)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "notes.db")
    Tables.metadata.create_all(opened.engine)
    yield opened
    opened.close()


def test_what_is_written_can_be_read(db: Database) -> None:
    moment = datetime(2026, 11, 20, 4, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))

    with db.writing() as session:
        note = Note(title="a", at=moment, facts={"list": [1, None, "ü"]})
        session.add(note)

    assert note.title == "a"
    with db.reading() as session:
        read = session.scalars(select(Note)).one()
        assert read.at == moment
        assert read.at.tzinfo == UTC
        assert read.facts == {"list": [1, None, "ü"]}


def test_moments_sort_as_text() -> None:
    early = datetime(2026, 1, 2, tzinfo=UTC)

    assert as_text(early) == "2026-01-02T00:00:00.000000Z"
    assert as_text(early) < as_text(early + timedelta(microseconds=1))


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        as_text(datetime(2026, 1, 2))  # noqa: DTZ001 - the mistake under test


def test_an_exception_takes_everything_back(db: Database) -> None:
    with pytest.raises(KeyError), db.writing() as session:  # noqa: PT012 - the block is the case
        session.add(Note(title="a", facts=None))
        session.flush()
        raise KeyError("stop")

    with db.reading() as session:
        assert session.scalars(select(Note)).all() == []


def test_what_is_changed_while_reading_is_not_kept(db: Database) -> None:
    with db.reading() as session:
        session.add(Note(title="a", facts=None))
        session.flush()

    with db.reading() as session:
        assert session.scalars(select(Note)).all() == []


def test_what_was_read_stays_readable_afterwards(db: Database) -> None:
    with db.writing() as session:
        session.add(Note(title="a", facts=[1]))

    with db.reading() as session:
        note = session.scalars(select(Note)).one()

    assert (note.title, note.facts) == ("a", [1])


def test_a_reader_sees_one_state_while_others_write(db: Database) -> None:
    with db.reading() as reader:
        assert reader.scalars(select(Note)).all() == []
        with db.writing() as writer:
            writer.add(Note(title="a", facts=None))

        assert reader.scalars(select(Note)).all() == []


def test_eight_threads_that_read_then_write_never_collide(db: Database) -> None:
    """Deferred BEGIN failed 386 of 1,200 such writes; IMMEDIATE none."""
    errors: list[Exception] = []

    def work(name: int) -> None:
        try:
            for count in range(25):
                with db.writing() as session:
                    session.scalars(select(Note)).first()
                    session.add(Note(title=f"{name}-{count}", facts=None))
        except Exception as error:  # noqa: BLE001 - the test reports what a thread met
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    with db.reading() as session:
        assert len(session.scalars(select(Note)).all()) == 200


def test_a_broken_rule_of_the_schema_stays_what_it_is(db: Database) -> None:
    with db.writing() as session:
        session.add(Note(title="a", facts=None))

    with pytest.raises(IntegrityError) as broken, db.writing() as session:
        session.add(Note(title="a", facts="a private value"))

    assert "a private value" not in str(broken.value)


def test_every_commit_is_synchronous_and_in_the_wal(db: Database) -> None:
    """A power cut lost 100 of 100 acknowledged commits with synchronous=NORMAL, none with FULL (2)."""
    with db.reading() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert pragmas == ["wal", 2, 1]


def test_a_copy_holds_commits_that_are_only_in_the_wal(db: Database, tmp_path: Path) -> None:
    """T13, and no row of a deleted page comes along."""
    with db.writing() as session:
        session.add(Note(title="kept", facts=None))
        session.add(Note(title="s3cret-" * 50, facts=None))
    with db.writing() as session:
        session.execute(text("DELETE FROM notes WHERE title LIKE 's3cret%'"))
    assert (tmp_path / "notes.db-wal").stat().st_size > 0

    db.copy_into(tmp_path / "copy.db")

    with open_file(tmp_path / "copy.db", read_only=True) as connection:
        assert connection.execute(text("SELECT title FROM notes")).scalars().all() == ["kept"]
        assert structure_faults(connection) == []
    assert b"s3cret" not in (tmp_path / "copy.db").read_bytes()


def test_a_copy_never_replaces_a_file(db: Database, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")

    with pytest.raises((Unavailable, Corrupt)):
        db.copy_into(tmp_path / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_file_that_is_no_database_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database " * 100)

    with pytest.raises(Corrupt, match=r"x\.db"), open_file(tmp_path / "x.db"):
        pass


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(Unavailable), open_file(tmp_path / "missing.db", read_only=True):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_database_that_may_not_grow_says_the_disk_is_full(db: Database) -> None:
    """T04: SQLITE_FULL becomes the typed error, and the database goes on once there is room."""
    with db.reading() as session:
        pages = session.scalar(text("PRAGMA page_count"))

    with pytest.raises(DiskFull) as full, db.writing() as session:  # noqa: PT012 - the block is the case
        session.execute(text(f"PRAGMA max_page_count={pages}"))
        session.execute(
            text(
                "INSERT INTO notes(title, facts) SELECT 'x' || value, hex(randomblob(2000)) "
                "FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value+1 FROM n WHERE value<99) "
                "SELECT value FROM n)"
            )
        )

    assert full.value.path == db.path
    db.close()
    with db.writing() as session:
        session.add(Note(title="after", facts=None))


def test_uids_are_random_and_fit_into_an_address() -> None:
    uids = {new_uid() for _ in range(1000)}

    assert len(uids) == 1000
    assert all(len(uid) == 16 and uid.replace("-", "").replace("_", "").isalnum() for uid in uids)
