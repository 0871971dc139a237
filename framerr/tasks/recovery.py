"""What the process before left unfinished, put right before anything runs."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from framerr.appliance import Appliance
from framerr.backups import models as backups
from framerr.backups import shelf, swap
from framerr.core.errors import Unavailable
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.observability import audit, events
from framerr.settings import store
from framerr.tasks.outcome import on_outcome

log = logging.getLogger(__name__)
HOUSEKEEPING: Final = Rule("daily", 5)


def recover(appliance: Appliance, now: datetime) -> None:
    """Close orphaned Runs, tell how a restore ended, sweep half-made archives, schedule the daily job."""
    _sweep_parts(appliance)
    with appliance.db.writing() as session:
        for run in queue.recover(session, now):
            on_outcome(session, run, now)
        if schedules.get(session, "housekeeping") is None:
            zone = ZoneInfo(store.read(session).time_zone)
            schedules.save(session, "housekeeping", "", HOUSEKEEPING, zone, now)
    tell_outcome(appliance, now)


def tell_outcome(appliance: Appliance, now: datetime) -> None:
    """Write how the last restore or reset ended into the events of the state that is live now. Once, also after a crash
    between the two steps."""
    found = swap.read_outcome(appliance.paths)
    if found is None:
        return
    with appliance.db.writing() as session:
        if not _is_told(session, found.id):
            _tell(session, found, now)
    swap.forget_outcome(appliance.paths)


def _sweep_parts(appliance: Appliance) -> None:
    try:
        shelf.sweep(appliance.paths.backups)
    except Unavailable as error:  # a NAS that is away keeps nobody from booting
        log.warning("Half-made backups could not be removed. %s", error.message)


def _is_told(session: Session, id: str) -> bool:
    kinds = (backups.RESTORED, backups.RETURNED, backups.RESET)
    return any(event.data.get("id") == id for kind in kinds for event in events.recent(session, kind=kind))


def _tell(session: Session, found: swap.Outcome, now: datetime) -> None:
    what = f"The restore of {found.what}" if found.kind == "restore" else f"The reset {found.what}".rstrip()
    data = {"id": found.id, "what": found.what, "reason": found.reason, "before": found.before}
    if found.result == "kept":
        kind = backups.RESTORED if found.kind == "restore" else backups.RESET
        events.record(session, kind, text=f"{what} is done.", subject=found.what, data=data, now=now)
    else:
        text = f"{what} did not come up, so the previous state was brought back. {found.reason}".rstrip()
        events.record(session, backups.RETURNED, level="error", text=text, subject=found.what, data=data, now=now)
    actor = found.requested_by or "appliance"
    audit.record(session, actor, f"{found.kind}.{found.result}", found.what, "", found.reason, now)
