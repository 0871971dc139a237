"""An instance that has been used for a while: one of everything that a page can show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from framerr.appliance import Appliance
from framerr.backups.create import create_backup
from framerr.core.clock import utcnow
from framerr.integrations import store as integrations
from framerr.jobs.models import Run, RunLine
from framerr.jobs.progress import Progress
from framerr.observability import events
from framerr.settings import favicon, icons
from tests.pictures import picture


def fill(appliance: Appliance) -> None:
    """Backups, runs in every state with their logs, events of every level, services, icons, a favicon."""
    now = utcnow()
    for kind in ("scheduled", "manual", "safety"):
        _backup(appliance, kind)
    (appliance.paths.backups / "site-export.zip").write_bytes(b"copied in by hand")
    for name, colour in (("Harbor Supply", "teal"), ("Northwind magazine of the far north", "navy")):
        icons.add_icon(appliance.db, appliance.paths, name, picture(colour=colour), now)
    favicon.save(appliance.paths, picture(colour="olive"))
    with appliance.db.writing() as session:
        for state, error in (
            ("interrupted", "Framerr was stopped while this was running. Run it again if it is still wanted."),
            ("cancelled", "Cancelled at a safe point."),
            ("failed", "The disk is full: needed 53 MB, 12 MB free. Free some space and try again."),
            ("done", None),
        ):
            add_run(session, state=state, error=error)
        events.record(session, "backup.failed", level="error", text="The backup of 04:00 failed.", now=now)
        events.record(session, "backup.prune-held", level="warn", text="5 old backups wait for a yes.", now=now)
        for name in ("Harbor Supply", "Northwind Magazine"):
            integrations.add(
                session,
                appliance.key,
                kind="framer-site",
                name=name,
                config={},
                credential={"api_key": "a key"},
                now=now,
            )


def add_run(session: Session, **values: Any) -> Run:
    """A run of an hour ago with a log of two lines."""
    then = utcnow() - timedelta(hours=1)
    base: dict[str, Any] = {"kind": "backup", "trigger": "schedule", "state": "done", "created_at": then}
    base |= {"started_at": then, "finished_at": then + timedelta(seconds=41)}
    run = Run(**base | values)
    session.add(run)
    session.flush()
    for level, text in (("info", "Copying the database"), ("warn", "An icon could not be read: harbor.png")):
        session.add(RunLine(run_id=run.id, at=then, level=level, text=text))
    return run


def _backup(appliance: Appliance, kind: Any) -> None:
    create_backup(appliance.db, appliance.paths, appliance.key, type=kind, progress=Progress(), now=utcnow())
