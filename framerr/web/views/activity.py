"""What runs, what ran, and what each run said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, flash, request, url_for
from sqlalchemy.orm import Session

from framerr.core.errors import Conflict, InvalidInput
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.web import access, auth, current, filters, htmx, runs

blueprint = Blueprint("activity", __name__)
PAGE = 50
# What can be started here: kind -> the sentence afterwards.
STARTABLE = {"backup": "The backup is on its way.", "housekeeping": "Housekeeping is on its way."}


@dataclass(frozen=True)
class ActivityView:
    """`older` is the uid to continue from, or None at the end; `is_first` tells whether this is the newest page."""

    answer: str
    open: Sequence[runs.RunView]
    earlier: Sequence[runs.RunView]
    older: str | None
    is_first: bool


@blueprint.get("/activity")
@access.signed_in
def index() -> Response:
    """The live list: open runs with their progress, then what ended."""
    with current.appliance().db.reading() as session:
        view = _view(session, request.args.get("before"))
    return htmx.render("activity/index.html", partial="activity/_list.html", view=view)


@blueprint.get("/activity/<uid>")
@access.signed_in
def run(uid: str) -> Response:
    """One run with its log; as a fragment it keeps itself current."""
    with current.appliance().db.reading() as session:
        found = queue.get(session, uid)
        lines = [(line.at, line.level, line.text) for line in queue.lines(session, found)]
        view = runs.view(found, filters.in_words)
    return htmx.render("activity/run.html", partial="activity/_run.html", run=view, lines=lines)


@blueprint.get("/activity/<uid>/progress")
@access.signed_in
def progress(uid: str) -> Response:
    """The progress part alone, for any page that shows a run. It tells the page when the run has ended."""
    with current.appliance().db.reading() as session:
        view = runs.view(queue.get(session, uid), filters.in_words)
    response = htmx.render("activity/_progress.html", run=view)
    if not view.is_open:
        response.headers["HX-Trigger"] = "run-ended"
    return response


@blueprint.post("/activity/<uid>/cancel")
@access.administrator
def cancel(uid: str) -> Response:
    """Ask a run to stop at its next safe point."""
    with current.appliance().db.writing() as session:
        found = queue.request_cancel(session, uid, current.now())
        current.record(session, "run.cancel_requested", found.kind, found.uid)
        sentence = _after_cancel(found)
    flash(sentence, "message")
    return htmx.go(_back(url_for("activity.run", uid=uid)))


@blueprint.post("/activity/run-now")
@access.administrator
def run_now() -> Response:
    """Queue a run of a kind that a person may start; one that is under way already is shown instead."""
    kind = request.form.get("kind", "")
    if kind not in STARTABLE:
        raise InvalidInput("Choose what to run: a backup, or housekeeping.", field="kind")
    locked = current.appliance().locked
    if locked:
        raise Conflict(locked)
    with current.appliance().db.writing() as session:
        found, is_new = _queue(session, kind)
    current.appliance().lifecycle.wake()
    flash(STARTABLE[kind] if is_new else f"{runs.name_of(kind)} was under way already.", "safe")
    return htmx.go(_back(url_for("activity.run", uid=found.uid)))


def _after_cancel(run: Run) -> str:
    name = runs.name_of(run.kind)
    if run.is_open:
        return f"{name} stops at its next safe point."
    return f"{name} is cancelled." if run.state == "cancelled" else f"{name} had ended already."


def _queue(session: Session, kind: str) -> tuple[Run, bool]:
    asked_by = current.person().username
    found, is_new = queue.enqueue(session, kind, trigger="manual", requested_by=asked_by, now=current.now())
    if is_new:
        current.record(session, "run.requested", kind, found.uid)
    return found, is_new


def _view(session: Session, before: str | None) -> ActivityView:
    still_open = [] if before else [runs.view(one, filters.in_words) for one in queue.open_runs(session)]
    found = queue.recent(session, PAGE + 1, before)
    earlier = [runs.view(one, filters.in_words) for one in found[:PAGE]]
    older = earlier[-1].uid if len(found) > PAGE else None
    return ActivityView(_answer(still_open, earlier), still_open, earlier, older, is_first=before is None)


def _answer(still_open: Sequence[runs.RunView], earlier: Sequence[runs.RunView]) -> str:
    now = next((one.now for one in still_open if one.state == "running"), "Nothing is running.")
    if not earlier:
        return f"{now} Nothing has run yet."
    bad = next((place for place, one in enumerate(earlier) if one.state in {"failed", "interrupted"}), None)
    if bad == 0:
        return f"{now} The last run did not end well."
    good = len(earlier) if bad is None else bad
    return f"{now} The last {filters.count(good, 'run')} went well." if good > 1 else f"{now} The last run went well."


def _back(otherwise: str) -> str:
    wanted = auth.local_path(request.form.get("next"))
    return request.script_root + wanted if wanted else otherwise
