"""The one door to SQLite: two ways in, `reading()` and `writing()`, and what a table means for a backup.

WAL, foreign keys on, `synchronous=FULL` (NORMAL lost acknowledged commits in power-cut simulations). `writing()` holds
a process-wide lock and begins IMMEDIATE: SQLite has one writer anyway, and versions before 3.51.3 can corrupt a
database when two connections commit and checkpoint at the same instant. A fixed SQLite is used where a wheel has one.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import msgspec
from sqlalchemy import URL, Engine, MetaData, String, Text, TypeDecorator, create_engine, event, text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import QueuePool, StaticPool

from framerr.core.errors import Corrupt, DiskFull, FramerrError, Unavailable
from framerr.core.files import free_bytes

try:
    from pysqlite3 import dbapi2 as sqlite
except ImportError:  # no wheel for this processor: the library of the system, under the same write lock
    import sqlite3 as sqlite

BUSY_TIMEOUT_MS = 10_000
SQLITE_VERSION: str = sqlite.sqlite_version
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The root of every table of `framerr.db`."""

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {}


class Fate(Enum):
    """What becomes of a table when the appliance is backed up and restored."""

    KEEP = "in the archive, comes back"
    PURGE = "never in an archive, empty after a restore"
    LOCAL = "describes this folder: never in an archive, this instance's rows survive a restore"


@dataclass(frozen=True)
class TableFate:
    """`name` and `words` tell a person what starts empty; `keep_where` limits what an archive takes (SQL)."""

    fate: Fate
    name: str = ""
    words: str = ""
    keep_where: str | None = None


def fate(value: Fate, name: str = "", words: str = "", *, keep_where: str | None = None) -> dict[str, Any]:
    """The `info` of a table: every table must declare its fate, which a test checks."""
    return {"fate": TableFate(value, name, words, keep_where)}


def fates() -> Mapping[str, TableFate]:
    """Table name to fate, in an order that satisfies foreign keys. Raises KeyError for an undeclared table."""
    return {str(table.name): table.info["fate"] for table in Base.metadata.sorted_tables}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as sortable text that a person can read in the file.

    Reading one that rotted raises Corrupt (T17).
    """

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else as_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        if value is None:
            return None
        try:
            return datetime.strptime(value, _FORMAT).replace(tzinfo=UTC)
        except (TypeError, ValueError):
            raise _rotten("date") from None


_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def as_text(moment: datetime) -> str:
    """The stored form of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a stored moment must be aware")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Json(TypeDecorator[Any]):
    """Any JSON value, or one of a `kind` (dict, list), stored as compact text. Reading one that rotted raises Corrupt."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type = object) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - the signature is SQLAlchemy's
        if value is None:
            return None
        try:
            decoded = msgspec.json.decode(value)
        except (TypeError, ValueError, RecursionError):
            raise _rotten("record") from None
        if not isinstance(decoded, self.kind):
            raise _rotten("record")
        return decoded


def _rotten(what: str) -> Corrupt:
    """The value itself is not named: it may be private."""
    return Corrupt(f"The database is damaged: a stored {what} cannot be read. Restore a good backup.")


class Sealed(TypeDecorator[str]):
    """Text sealed by `core.crypto`. The type is how a backup finds every credential, so it is never plain Text."""

    impl = Text
    cache_ok = True


def sealed_columns() -> list[tuple[str, str]]:
    """Every (table, column) that holds credentials, found in the schema."""
    return [
        (str(table.name), str(column.name))
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
    ]


def new_uid() -> str:
    """A random name for use in addresses: 96 bits, URL-safe."""
    return secrets.token_urlsafe(12)


class Database:
    """An open SQLite database with tables of `Base`. Thread-safe; close it once at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write_lock = threading.RLock()
        self.engine = _engine(path)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A Session on one consistent state. Nothing written in it is kept; what was loaded stays readable afterwards.

        Raises Unavailable when the database cannot be opened, Corrupt when it is not one.
        """
        with _database_errors(self.path), Session(self.engine, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A Session that owns the write lock from the start and commits at the end, or rolls back on any exception.

        Keep it short and never wait for a network inside. Objects stay readable after the commit. Raises DiskFull,
        Unavailable or Corrupt; nothing is half written.
        """
        with _database_errors(self.path), self._write_lock, Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"begin": "IMMEDIATE"})
            yield session
            session.commit()

    def copy_into(self, target: Path) -> None:
        """Write one consistent, compacted copy to `target`, which must not exist; commits still in the WAL are in it.

        Readers and writers go on meanwhile (T12, T13). Raises DiskFull, Unavailable or Corrupt.
        """
        with _database_errors(self.path, written=target), self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM INTO ?", (str(target),))

    def check(self) -> list[str]:
        """What SQLite finds wrong with the structure; empty when nothing. Says nothing about flipped content bits."""
        with _database_errors(self.path), self.engine.connect() as connection:
            return structure_faults(connection)

    def checkpoint(self) -> None:
        """Move the WAL into the file, under the write lock."""
        with _database_errors(self.path), self._write_lock, self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Release every connection; the last one checkpoints the WAL."""
        with self._write_lock:
            self.engine.dispose()


def structure_faults(connection: Connection) -> list[str]:
    """The findings of quick_check and foreign_key_check on an open connection."""
    found = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(10)") if row[0] != "ok"]
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(10)
    return found + [f"row {row[1]} of table {row[0]} points at a missing row of {row[2]}" for row in dangling]


@contextmanager
def open_file(path: Path, *, read_only: bool = False, undisturbed: bool = False) -> Iterator[Connection]:
    """One connection to a database file beside the live one (a copy, a staged state), outside any pool.

    Autocommit: begin and commit are the caller's. Without WAL, so that the file is alone when closed. Raises Corrupt
    when it is not a database, Unavailable when it cannot be opened. `undisturbed` is for reading a file that nobody else
    has open and that has no WAL: nothing is made beside it then.
    """
    with _opened(path, mode="ro" if read_only else "rw", immutable=undisturbed) as connection:
        if not read_only:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        connection.exec_driver_sql("PRAGMA synchronous=FULL")
        yield connection


@contextmanager
def look_into(path: Path) -> Iterator[Connection]:
    """One connection that can only read the live file, whoever else has it open: its journal mode stays as it is.

    Unlike a read-only one it can take back what a killed process left half written. Raises as `open_file`.
    """
    with _opened(path, mode="rw") as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
        yield connection


@contextmanager
def in_memory() -> Iterator[Connection]:
    """One connection to an empty database that is gone when closed. Autocommit, as in `open_file`."""
    engine = create_engine("sqlite://", module=_module(), isolation_level="AUTOCOMMIT", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _opened(path: Path, *, mode: str, immutable: bool = False) -> Iterator[Connection]:
    options = {"mode": mode, "uri": "true"} | ({"immutable": "1"} if immutable else {})
    engine = create_engine(
        URL.create("sqlite", database=f"file:{_quoted(path)}", query=options),
        module=_module(),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # an error must not carry credentials into a log: a copy holds them readable
    )
    try:
        with _database_errors(path), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA trusted_schema=OFF")
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            yield connection
    finally:
        engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=_module(),
        hide_parameters=True,  # an error must not carry what people stored into a log
        poolclass=QueuePool,
        pool_size=12,
        max_overflow=8,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "trusted_schema=OFF",
        "wal_autocheckpoint=1000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


def _module() -> ModuleType:
    module: ModuleType = sqlite
    return module


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


@contextmanager
def _database_errors(path: Path, *, written: Path | None = None) -> Iterator[None]:
    """`path` is the database that is read, `written` the file that grows, when that is another one."""
    try:
        yield
    except (DatabaseError, sqlite.DatabaseError) as error:
        known = _translated(error, path, written or path)
        if known is None:
            raise
        # What cannot be decoded is quoted by the driver, and may be private: such a cause is not told on.
        raise known from None if _UNDECODABLE in str(error) else error


_FULL = ("database or disk is full",)
# What SQLite says when it cannot make or grow a small file of its own; on a full disk that is the reason.
_STUCK = ("disk I/O error", "unable to open database file")
_A_FEW_PAGES = 64 << 10
_DAMAGED = ("file is not a database", "malformed", "file is encrypted", "no such table", "no such column")
_UNDECODABLE = "Could not decode to UTF-8"


def _translated(error: Exception, path: Path, written: Path) -> FramerrError | None:
    words = str(getattr(error, "orig", error))
    free = free_bytes(written)
    is_stuck = any(part in words for part in _STUCK) and free is not None and free < _A_FEW_PAGES
    if is_stuck or any(part in words for part in _FULL):
        return DiskFull(
            f"The disk is full: {written} could not be written. Free some space and try again.",
            path=written,
            free=free,
        )
    if _UNDECODABLE in words:
        return _rotten("text")
    if any(part in words for part in _DAMAGED):
        return Corrupt(f"{path} is not a readable database ({words}). Restore a backup, or put the file back.")
    if isinstance(error, OperationalError | sqlite.OperationalError):
        return Unavailable(
            f"The database {path} could not be used: {words}. Look at the disk or the mount, then try again."
        )
    return None


def scalar(session: Session, statement: str) -> Any:
    """The first value of a statement without parameters."""
    return session.execute(text(statement)).scalar()
