"""An instance with something in every table, setting and folder, and what is in it, enumerated from the schema."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from framerr.accounts import pictures, sessions, users
from framerr.appliance import Appliance
from framerr.backups import create, prune
from framerr.backups.models import Backup
from framerr.core.crypto import from_plain, is_plain
from framerr.core.db import Base, Database, Fate, Sealed, fates
from framerr.core.errors import Forbidden
from framerr.core.paths import Paths
from framerr.integrations import store as integrations
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.jobs.models import RunLine
from framerr.jobs.progress import Progress
from framerr.observability import audit, events
from framerr.settings import favicon, icons, store
from tests.factories import NOW
from tests.pictures import picture

PASSWORD = "correct horse battery"
SECRETS = tuple(f"planted-secret-{number}-Zq9xK" for number in range(5))
TOKEN_AGENT = "planted-session-agent-7fW2"
CHANGED = {
    "instance.name": "Studio server",
    "instance.time_zone": "Europe/Berlin",
    "backups.max": 5,
    "appearance.theme": "dark",
    "appearance.time_format": "24",
}


def fill(appliance: Appliance, now: datetime = NOW) -> str:
    """Put rows into every table and files into every folder; returns the token of a session."""
    db, paths, key = appliance.db, appliance.paths, appliance.key
    with db.writing() as session:
        ada = users.create_user(
            session, username="ada", password=PASSWORD, display_name="Ada", role="administrator", now=now
        )
        users.create_user(session, username="eve", password=PASSWORD, display_name="", role="viewer", now=now)
        for setting, value in CHANGED.items():
            store.change(session, setting, value, now)
        schedules.save(session, "backup", "", Rule("daily", 4), ZoneInfo("Europe/Berlin"), now)
        for number, secret in enumerate(SECRETS):
            integrations.add(
                session, key, kind="framer", name=f"Site {number}", config={"url": "https://x.test"},
                credential={"token": secret}, now=now,
            )  # fmt: skip
        events.record(session, "backup.made", text="Made.", data={"type": "manual"}, now=now)
        audit.record(session, "ada", "settings.changed", "backups.max", "127.0.0.1", "", now)
        for kind in ("housekeeping", "backup"):
            run, _ = queue.enqueue(session, kind, trigger="manual", now=now)
            session.add(RunLine(run_id=run.id, at=now, level="info", text=f"A line of {kind}"))
            if kind == "housekeeping":
                run.state, run.finished_at = "done", now
    pictures.save_picture(db, paths, ada.uid, picture())
    for name in ("Anvil", "Bell", "Cog"):
        icons.add_icon(db, paths, name, picture(colour="red"), now)
    favicon.save(paths, picture(size=(64, 64)))
    nested = paths.custom_icons / "sets" / "weather"
    nested.mkdir(parents=True)
    (nested / "sun.svg").write_text("<svg/>")
    token, _ = sessions.sign_in(
        db, "ada", PASSWORD, address="127.0.0.1", user_agent=TOKEN_AGENT, persistent=True, now=now
    )
    with suppress(Forbidden):
        sessions.sign_in(db, "eve", "wrong", address="127.0.0.2", user_agent="x", persistent=False, now=now)
    make_backup(appliance, now=now - timedelta(hours=1))
    prune.apply(db, paths, now=now)
    return token


def make_backup(appliance: Appliance, *, type: Any = "manual", now: datetime = NOW, **more: Any) -> Backup:
    """A backup of an appliance, without anybody watching."""
    return create.create_backup(
        appliance.db, appliance.paths, appliance.key, type=type, progress=Progress(), now=now, **more
    )


def rows_of(appliance: Appliance, *wanted: Fate) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table with one of these fates, credentials opened: from the schema, not by hand."""
    return {
        name: _rows(appliance.db, name, appliance) for name, fate in fates().items() if fate.fate in (wanted or Fate)
    }


def _rows(db: Database, name: str, appliance: Appliance) -> list[dict[str, Any]]:
    table = Base.metadata.tables[name]
    sealed = [column.name for column in table.columns if isinstance(column.type, Sealed)]
    with db.reading() as session:
        rows = [dict(row) for row in session.execute(select(table).order_by(*table.primary_key)).mappings()]
    for row in rows:
        for column in sealed:
            text = row[column]
            context = f"{name}.{column}"
            row[column] = from_plain(text) if is_plain(text) else appliance.key.open(text, context)
    return rows


def files_of(paths: Paths) -> dict[str, bytes]:
    """Every file of the live state but the database, by its path below `data/`."""
    return {
        path.relative_to(paths.data).as_posix(): path.read_bytes()
        for path in paths.data.rglob("*")
        if path.is_file() and not path.name.startswith("framerr.db")
    }


def contains(folder: Path, needle: bytes) -> list[str]:
    """Which files below `folder` hold these bytes."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]
