"""Two doors to one database, and errors that say which file and what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Integer, MetaData, String, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from framerr.core.db import (
    Database,
    Json,
    UtcDateTime,
    as_text,
    in_memory,
    look_into,
    new_uid,
    open_file,
    structure_faults,
)
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
    more: Mapped[dict[str, object] | None] = mapped_column(Json(dict), default=dict)


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


def test_a_moment_of_the_first_years_is_stored_so_that_it_can_be_read(db: Database) -> None:
    with db.writing() as session:
        session.add(Note(title="a", at=datetime(1, 1, 1, tzinfo=UTC), facts=None))

    with db.reading() as session:
        assert session.scalars(select(Note.at)).all() == [datetime(1, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    "rot",
    [
        "at = '2026-1x-01T00:00:00.000000Z'",
        "at = '1-01-01T00:00:00.000000Z'",
        "at = 7",
        "at = x'00'",
        "facts = '{'",
        "facts = ''",
        "facts = 5.0 || '" + "[" * 5000 + "'",
        "facts = '" + "[" * 100000 + "'",
        "more = 'null'",
        "more = '[]'",
        "title = cast(x'ff' as text)",
    ],
)
def test_a_value_that_rotted_is_a_sentence_that_keeps_it_private(db: Database, rot: str) -> None:
    """T17: whatever a flipped bit made of a stored value, it is the database that is damaged, in words."""
    with db.writing() as session:
        session.add(Note(title="a", at=datetime(2026, 1, 2, tzinfo=UTC), facts={}))
    with db.writing() as session:
        session.connection().exec_driver_sql(f"UPDATE notes SET {rot}")

    with pytest.raises(Corrupt, match=r"a stored (date|record|text) cannot be read") as told, db.reading() as session:
        session.scalars(select(Note)).all()

    assert told.value.__cause__ is None


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


def test_an_error_about_a_file_beside_carries_no_value(tmp_path: Path) -> None:
    """What is written into a copy are readable credentials, which must never reach a log."""
    (tmp_path / "x.db").touch()

    with open_file(tmp_path / "x.db") as connection:
        connection.exec_driver_sql("CREATE TABLE t (a TEXT UNIQUE)")
        connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": "s3cret"})
        with pytest.raises(IntegrityError) as broken:
            connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": "s3cret"})

    assert "s3cret" not in str(broken.value)


@pytest.mark.parametrize("name", ["50% off", "what?x=1#y", "a&mode=ro"])
def test_any_folder_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    db = Database(folder / "notes.db")
    Tables.metadata.create_all(db.engine)
    db.copy_into(folder / "copy.db")
    db.close()

    with open_file(folder / "copy.db") as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM notes").scalar() == 0
        connection.exec_driver_sql("VACUUM INTO ?", (str(folder / "again.db"),))

    assert sorted(path.name for path in folder.iterdir()) == ["again.db", "copy.db", "notes.db"]
    assert list(tmp_path.iterdir()) == [folder]


def test_looking_needs_no_lock_and_changes_nothing(db: Database) -> None:
    """Another program may be reading the live file: that must not keep the appliance from looking."""
    with db.writing() as session:
        session.add(Note(title="a", facts=None))

    with db.reading() as reader:
        assert len(reader.scalars(select(Note)).all()) == 1
        with look_into(db.path) as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM notes").scalar() == 1
            with pytest.raises(OperationalError):
                connection.exec_driver_sql("DELETE FROM notes")

    with look_into(db.path) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_write_that_was_cut_off_is_taken_back_when_looking(tmp_path: Path) -> None:
    """The journal of a process that was killed in the middle of an upgrade lies beside the file."""
    (tmp_path / "x.db").touch()
    with open_file(tmp_path / "x.db") as connection:
        connection.exec_driver_sql("CREATE TABLE t (a TEXT)")
        connection.exec_driver_sql("INSERT INTO t SELECT hex(zeroblob(400)) FROM pragma_function_list")
        connection.exec_driver_sql("PRAGMA cache_size=1")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("UPDATE t SET a = 'new'")
        connection.exec_driver_sql("INSERT INTO t SELECT hex(zeroblob(400)) FROM pragma_function_list")
        for part in ("x.db", "x.db-journal"):
            (tmp_path / f"killed-{part}").write_bytes((tmp_path / part).read_bytes())
        connection.exec_driver_sql("ROLLBACK")

    with look_into(tmp_path / "killed-x.db") as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t WHERE a = 'new'").scalar() == 0
        assert structure_faults(connection) == []


def test_a_copy_of_a_damaged_database_names_the_database(tmp_path: Path) -> None:
    """Not the scratch file that it was copied into."""
    db = Database(tmp_path / "notes.db")
    Tables.metadata.create_all(db.engine)
    with db.writing() as session:
        session.add_all([Note(title=f"{number}" * 300, facts=None) for number in range(200)])
    db.close()
    data = bytearray(db.path.read_bytes())
    for start in range(8192, len(data), 4096):
        data[start : start + 100] = b"\xff" * 100
    db.path.write_bytes(data)

    with pytest.raises(Corrupt, match=r"notes\.db"):
        db.copy_into(tmp_path / "copy.db")
    db.close()


def test_a_database_in_memory_leaves_nothing(tmp_path: Path) -> None:
    with in_memory() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a)")
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


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
