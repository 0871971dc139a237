"""The database: opened read-only, beside whoever uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from framerr.accounts import users
from framerr.appliance import MODELS
from framerr.appliance.holding import is_held
from framerr.appliance.locked import sealed_by
from framerr.backups.models import Backup
from framerr.console.checks.finding import Finding
from framerr.core import migrations
from framerr.core.db import SQLITE_VERSION, open_file, structure_faults
from framerr.core.errors import FramerrError
from framerr.core.paths import Paths
from framerr.jobs import schedules
from framerr.jobs.calendar import Frequency
from framerr.observability.models import Event
from framerr.settings import store
from framerr.settings.models import InstanceLocal

assert MODELS
# https://sqlite.org/wal.html#walresetbug names the releases in which it is fixed.
FIXED_FROM = ((3, 44, 6), (3, 50, 7), (3, 51, 3))


@dataclass(frozen=True)
class Stored:
    """What the database says, as far as it can be read; `problem` says why not further. Absent: there is none yet."""

    exists: bool = False
    problem: str = ""
    revision: str | None = None
    faults: tuple[str, ...] = ()
    users: int = 0
    time_zone: str | None = None
    newest_event: datetime | None = None
    fingerprint: str | None = None
    sealed_by: tuple[str, ...] = ()
    frequency: Frequency = "off"
    newest_good: datetime | None = None
    good: int = field(default=0)


def look(paths: Paths) -> Stored:
    """Read what the other checks need, once."""
    if not paths.database.exists():
        return Stored()
    wal = paths.database.with_name(f"{paths.database.name}-wal")
    is_alone = not wal.exists() and not is_held(paths.lock)
    try:
        with open_file(paths.database, read_only=True, undisturbed=is_alone) as connection:
            return _stored(connection)
    except FramerrError as error:
        return Stored(exists=True, problem=error.message)


def database(stored: Stored) -> Finding:
    if not stored.exists:
        return Finding("database", "ok", "none yet: it is made by the first start")
    if stored.problem:
        return Finding("database", "bad", stored.problem, "framerr restore FILE brings back a backup.")
    if stored.faults:
        return Finding("database", "bad", "; ".join(stored.faults), "framerr restore FILE brings back a backup.")
    if stored.revision not in migrations.known():
        found = f"its schema {stored.revision} is not known; this version knows up to {migrations.head()}"
        return Finding("database", "bad", found, "Start the newer version that made it, or restore an older backup.")
    if stored.revision != migrations.head():
        found = f"schema {stored.revision}, whole; this version has {migrations.head()}"
        return Finding("database", "ok", found, "The next start makes a safety backup and upgrades it.")
    return Finding("database", "ok", f"schema {stored.revision}, structure whole, {stored.users} users")


def sqlite(library: str = SQLITE_VERSION) -> Finding:
    version = tuple(int(part) for part in library.split("."))
    same_branch = [fixed for fixed in FIXED_FROM if fixed[:2] == version[:2]]
    if version >= max(FIXED_FROM) or any(version >= fixed for fixed in same_branch):
        return Finding("SQLite", "ok", library)
    found = f"{library} has the published WAL-reset bug; one process-wide write lock keeps Framerr clear of it"
    return Finding("SQLite", "ok", found, "Open the database with no other program while the appliance runs.")


def _stored(connection: Connection) -> Stored:
    revision = migrations.current(connection)
    faults = tuple(structure_faults(connection))
    if revision != migrations.head() or faults:
        return Stored(exists=True, revision=revision, faults=faults)
    with Session(connection) as session:
        schedule = schedules.get(session, "backup")
        here = session.get(InstanceLocal, 1)
        good = select(func.count(), func.max(Backup.created_at)).where(
            Backup.state == "good", Backup.missing_since.is_(None)
        )
        count, newest = session.execute(good).one()
        return Stored(
            exists=True,
            revision=revision,
            users=users.count_users(session),
            time_zone=store.read(session).time_zone,
            newest_event=session.scalar(select(func.max(Event.at))),
            fingerprint=here.key_fingerprint if here else None,
            sealed_by=tuple(sealed_by(session)),
            frequency=schedule.frequency if schedule else "off",
            newest_good=newest,
            good=count,
        )
