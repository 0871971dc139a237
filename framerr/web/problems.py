"""What failed a moment ago with files of the list (uploads, checks, restores), until it is read, dismissed or done well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flask import session as cookie
from markupsafe import Markup
from sqlalchemy.orm import Session

from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.web import current, runs
from framerr.web.filters import foreign

RECENT: Final = timedelta(minutes=15)
# What is said of the file that a Run of a kind is about.
_SAID: Final = {
    "adopt": "was not added to the list.",
    "verify": "did not pass its check.",
    "restore": "was not restored.",
}
_DISMISSED = "dismissed"
_REMEMBERED = 20


@dataclass(frozen=True)
class Problem:
    """`title` names the file; `uid` is the Run's."""

    title: Markup
    text: str
    uid: str


def lately(session: Session) -> Sequence[Problem]:
    """Runs that failed within the last minutes; of several about one file, the last one counts."""
    told: dict[tuple[str, str], Run] = {}
    for run in queue.recent(session):
        if run.kind in _SAID and run.finished_at and current.now() - run.finished_at < RECENT:
            told.setdefault((run.kind, run.subject), run)
    dismissed = cookie.get(_DISMISSED, [])
    return [_told(run) for run in told.values() if run.state == "failed" and run.uid not in dismissed]


def dismiss(uid: str) -> None:
    """Say it no more in this browser."""
    cookie[_DISMISSED] = [*cookie.get(_DISMISSED, []), uid[:40]][-_REMEMBERED:]


def _told(run: Run) -> Problem:
    name = run.params.get("name")
    title = Markup("{} {}").format(foreign(name), _SAID[run.kind]) if name else _unnamed(run)
    return Problem(title, run.error or "Its log has the details.", run.uid)


def _unnamed(run: Run) -> Markup:
    return Markup("{} failed.").format(runs.name_of(run.kind))
