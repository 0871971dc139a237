"""The dashboard: is everything safe?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from framerr.backups import folder
from framerr.core.errors import Unavailable
from framerr.integrations import store as integrations
from framerr.jobs import queue, schedules
from framerr.observability import events
from framerr.observability.models import Event
from framerr.web import access, current, filters, htmx, runs, safety
from framerr.web.views.integrations import STATES

blueprint = Blueprint("home", __name__)
LATELY = 6
# Level, or the beginning of a kind -> icon and colour of the row's mark.
_MARKS = (("error", ("x", "lost")), ("warn", ("triangle-alert", "warn")), ("backup", ("check", "safe")))


@dataclass(frozen=True)
class Happened:
    """One line of what happened lately."""

    icon: str
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Service:
    """One connected service."""

    name: str
    kind: str
    badge: str
    word: str
    text: str
    checked_at: datetime | None


@blueprint.get("/")
@access.signed_in
def index() -> Response:
    """The answer in the first line, then what it rests on."""
    unseen = _look_at_folder()
    with current.appliance().db.reading() as session:
        judged = safety.judge(_facts(session, unseen), current.now(), filters.in_words)
        lately = [_happened(event) for event in events.recent(session, limit=LATELY)]
        still_open = [runs.view(run, filters.in_words) for run in queue.open_runs(session)]
        services = _services(session)
    return htmx.render("home/index.html", safety=judged, lately=lately, open=still_open, services=services)


def _look_at_folder() -> str:
    """Bring the list up to the folder; why that is not possible, or the empty text."""
    parts = current.appliance()
    try:
        folder.reconcile(parts.db, parts.paths, now=current.now())
    except Unavailable as error:
        return error.message
    return ""


def _facts(session: Session, unseen: str) -> safety.Facts:
    counted = [
        row
        for row in folder.present(session)
        if row.type in {"manual", "scheduled"} and row.state == "good" and row.pinned_at is None
    ]
    return safety.Facts(
        unseen=unseen,
        is_locked=current.appliance().locked is not None,
        newest=folder.newest_good(session),
        kept=len(counted),
        most=current.values().max_backups,
        last_run=queue.latest(session, "backup"),
        schedule=schedules.get(session, "backup"),
    )


def _happened(event: Event) -> Happened:
    icon, kind = next(
        (look for mark, look in _MARKS if event.level == mark or event.kind.startswith(f"{mark}.")), ("info", "")
    )
    return Happened(icon, kind, event.text, event.at)


def _services(session: Session) -> Sequence[Service]:
    return [
        Service(row.name, row.kind, *STATES[row.state], row.state_text, row.checked_at)
        for row in integrations.list_integrations(session)
    ]
