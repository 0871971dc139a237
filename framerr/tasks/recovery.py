"""What the process before left unfinished, put right before anything runs; and how a restore ended, told.

Promise: what a restored state holds can make telling impossible, but never a boot.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Text, func, select, type_coerce
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from framerr.appliance import Appliance, boot, mounts
from framerr.backups import models as backups
from framerr.backups import shelf, swap
from framerr.core.errors import FramerrError, Unavailable
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.observability import audit, events
from framerr.observability.models import Event
from framerr.settings import store
from framerr.tasks.outcome import on_outcome

log = logging.getLogger(__name__)
HOUSEKEEPING: Final = Rule("daily", 5)
ABANDONED_AFTER: Final = timedelta(days=1)
OUTCOMES: Final = (backups.RESTORED, backups.RETURNED, backups.RESET)


def recover(appliance: Appliance, now: datetime) -> None:
    """Sweep half-made archives, tell how a restore ended, close orphaned Runs, schedule the daily job.

    Raises Corrupt when the database holds what makes that impossible, DiskFull or Unavailable.
    """
    sweep_parts(appliance, now, at_boot=True)
    tell_outcome(appliance, now)
    with boot.distrusting(appliance.paths.database), appliance.db.writing() as session:
        for run in queue.recover(session, now):
            on_outcome(session, run, now)
        if schedules.get(session, "housekeeping") is None:
            zone = ZoneInfo(store.read(session).time_zone)
            schedules.save(session, "housekeeping", "", HOUSEKEEPING, zone, now)


def keep(appliance: Appliance, now: datetime) -> bool:
    """The restored state proved itself: its events say so, then it stays. Whether there was one on trial.

    Raises Unavailable or DiskFull when the folder cannot be changed; then it is on trial as before.
    """
    is_kept = swap.confirm(appliance.paths, now, tell=lambda found: tell(appliance, found, now))
    tell_outcome(appliance, now)
    return is_kept


def tell_outcome(appliance: Appliance, now: datetime) -> None:
    """Tell how the last restore or reset ended, unless it is under way. What keeps it from being told is logged."""
    try:
        found = swap.read_outcome(appliance.paths)
        if found is not None and tell(appliance, found, now):
            swap.forget_outcome(appliance.paths)
    except Unavailable as error:
        log.warning("How the last restore ended stays to be told. %s", error.message)


def tell(appliance: Appliance, found: swap.Outcome, now: datetime) -> bool:
    """Write an outcome into the events of the state that is live now, unless they have it; whether they have it now."""
    try:
        with appliance.db.writing() as session:
            if not _is_told(session, found.id):
                _tell(session, found, appliance, now)
    except (FramerrError, SQLAlchemyError):
        log.exception("How the restore of %s ended could not be told in the events", found.what)
        return False
    return True


def sweep_parts(appliance: Appliance, now: datetime, *, at_boot: bool) -> None:
    """Remove half-made archives: at boot at once, since nobody here is making one.

    Otherwise, and in a folder that other instances may have too, only those that nobody wrote to for a day.
    """
    folder = appliance.paths.backups
    is_ours_alone = at_boot and not mounts.is_shared(folder, mounts.read())
    try:
        shelf.sweep(folder, untouched_since=None if is_ours_alone else now - ABANDONED_AFTER)
    except Unavailable as error:  # a NAS that is away keeps nobody from booting
        log.warning("Half-made backups could not be removed. %s", error.message)


def _is_told(session: Session, id: str) -> bool:
    """Looks for the id in the stored text: no row is decoded, for those of a restored state may hold anything."""
    data = type_coerce(Event.data, Text)
    told = select(Event.id).where(Event.kind.in_(OUTCOMES), func.instr(data, f'"id":"{id}"') > 0)
    return session.scalar(told.limit(1)) is not None


def _tell(session: Session, found: swap.Outcome, appliance: Appliance, now: datetime) -> None:
    what = f"The restore of {found.what}" if found.kind == "restore" else f"The reset {found.what}".rstrip()
    data = {"id": found.id, "what": found.what, "reason": found.reason, "before": found.before, "failed": found.failed}
    if found.result == "kept":
        kind = backups.RESTORED if found.kind == "restore" else backups.RESET
        events.record(session, kind, text=f"{what} is done.", subject=found.what, data=data, now=now)
    else:
        text = f"{what} did not hold, so the previous state was brought back. {found.reason}".rstrip()
        if found.failed:
            text += (
                f" What it was until then lies in {appliance.paths.root / found.failed}, until the next backup is "
                "proven or seven days have passed."
            )
        events.record(session, backups.RETURNED, level="error", text=text, subject=found.what, data=data, now=now)
    actor = found.requested_by or "appliance"
    audit.record(session, actor, f"{found.kind}.{found.result}", found.what, "", found.reason, now)
