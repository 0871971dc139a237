"""Start Fresh (R-002-29): the one transaction that turns an empty instance into one with an administrator."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from framerr.accounts import users
from framerr.accounts.models import User
from framerr.backups import swap
from framerr.core.db import Database
from framerr.core.errors import Conflict, Unavailable
from framerr.core.paths import Paths
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.observability import audit, events
from framerr.settings import instance, store
from framerr.setup import code

# The kinds of the Runs that make scheduled backups, and that put in another state.
BACKUP: Final = "backup"
RESTORE: Final = "restore"
PRESET: Final = Rule("daily", 4)
logger = logging.getLogger(__name__)


def check_unused(session: Session) -> None:
    """Raises Conflict when the instance has a user, which ends setup for good."""
    if users.count_users(session) > 0:
        raise Conflict("This instance is already set up. Sign in, or reset it first to start again.")


def check_not_replaced(session: Session, paths: Paths) -> None:
    """Raises Conflict while a restore is under way, prepared or on trial: what is set up now could be replaced by it."""
    if queue.open_run(session, RESTORE) is not None:
        raise Conflict("A backup is being restored into this instance. Wait until it is there, or cancel that first.")
    swap.require_idle(paths)


def start_fresh(
    db: Database,
    paths: Paths,
    *,
    username: str,
    password: str,
    display_name: str,
    instance_name: str,
    time_zone: str,
    rule: Rule,
    max_backups: object,
    now: datetime,
    address: str = "",
) -> User:
    """Create the administrator, the settings and the backup schedule, all or nothing; returns the (detached) user.

    However many requests race, one succeeds and the others raise Conflict, and so do all while a restore is under way:
    asking for that is a transaction too, so one of the two comes first. Raises InvalidInput naming the field
    (`username`, `password`, `display_name`, or the key of a setting). The setup code's file is removed afterwards; one
    that cannot be removed does no harm, since the wizard is closed.
    """
    with db.writing() as session:
        check_unused(session)
        check_not_replaced(session, paths)
        user = users.create_user(
            session,
            username=username,
            password=password,
            display_name=display_name,
            role="administrator",
            now=now,
        )
        instance.ensure(session, now)
        name = store.change(session, "instance.name", instance_name, now)
        zone = str(store.change(session, "instance.time_zone", time_zone, now))
        store.change(session, "backups.max", max_backups, now)
        schedules.save(session, BACKUP, "", rule, ZoneInfo(zone), now)
        text = f"{user.display_name} set up {name}. Backups: {rule.frequency}."
        events.record(session, "setup.finished", text=text, subject=user.username, now=now)
        audit.record(session, user.username, "setup.start-fresh", str(name), address, "", now)
    try:
        code.remove(paths)
    except Unavailable as error:
        logger.warning("the setup code's file could not be removed", extra={"fields": {"reason": error.message}})
    return user
