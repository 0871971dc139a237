"""Settings → Advanced → Backups (R-002-3): make, see, check, keep and delete backups, and when they are made by themselves.
Fetching one and adding one is in `backup_files`, restoring one in `backup_restore`."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, flash, request, url_for
from sqlalchemy.orm import Session

from framerr.backups import delete as deleting
from framerr.backups import folder, listing, pins, prune
from framerr.core.errors import Conflict, Unavailable
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.jobs.models import Run
from framerr.settings import schema, store
from framerr.web import (
    access,
    backup_list,
    current,
    filters,
    htmx,
    problems,
    runs,
    schedule_form,
)
from framerr.web.forms import Form
from framerr.web.schedule_form import Wanted

blueprint = Blueprint("backups", __name__, url_prefix="/settings/advanced/backups")
OFF = Rule("off", 4)
FOLLOWED = frozenset({"backup", "verify", "adopt", "restore"})


@blueprint.get("")
@access.administrator
def index() -> Response:
    """When was the last good one, when is the next; and everything that can be done about it."""
    return _index(None)


@blueprint.post("/create")
@access.administrator
def create() -> Response:
    """Queue one; the page then shows how it goes."""
    refuse_while_locked()
    asked_by = current.person().username
    with current.appliance().db.writing() as session:
        run, is_new = queue.enqueue(session, "backup", trigger="manual", requested_by=asked_by, now=current.now())
        if is_new:
            current.record(session, "backup.requested", run.uid)
    current.appliance().lifecycle.wake()
    if not is_new:
        flash("A backup was under way already.", "message")
    return _to_list()


@blueprint.post("/<uid>/verify")
@access.administrator
def verify(uid: str) -> Response:
    """Read it back in full, as a run."""
    refuse_while_locked()
    asked_by = current.person().username
    with current.appliance().db.writing() as session:
        row = folder.get(session, uid)
        _, is_new = queue.enqueue(
            session, "verify", subject=uid, params={"name": row.name}, trigger="manual", requested_by=asked_by,
            now=current.now(),
        )  # fmt: skip
        if is_new:
            current.record(session, "backup.verify_requested", row.name)
    current.appliance().lifecycle.wake()
    return _to_list()


@blueprint.post("/dismiss/<uid>")
@access.administrator
def dismiss(uid: str) -> Response:
    """A problem was read."""
    problems.dismiss(uid)
    return _to_list()


@blueprint.get("/<uid>/delete")
@access.administrator
def delete(uid: str) -> Response:
    """The question: which one, what follows, what remains."""
    with current.appliance().db.reading() as session:
        row = folder.get(session, uid)
        remaining = backup_list.remaining(row, folder.present(session), _eyes())
        return htmx.render("backups/delete.html", backup=row, remaining=remaining)


@blueprint.post("/<uid>/delete")
@access.administrator
def delete_post(uid: str) -> Response:
    """The answer."""
    parts = current.appliance()
    asked_by = current.person().username
    name = deleting.delete_backup(parts.db, parts.paths, uid, deleted_by=asked_by, now=current.now())
    with parts.db.writing() as session:
        current.record(session, "backup.deleted", name)
    flash(filters.foreign(name) + " is deleted.", "safe")
    return _to_list()


@blueprint.get("/<uid>/pin")
@access.administrator
def pin(uid: str) -> Response:
    """Why it is kept."""
    return _pin(uid, Form())


@blueprint.post("/<uid>/pin")
@access.administrator
def pin_post(uid: str) -> Response:
    """Keep it for good."""
    form = Form.posted()
    with form.catching():
        _pin_one(uid, form.text("note"))
    if not form.ok:
        return _pin(uid, form)
    flash("The backup is pinned: it is not counted and never deleted automatically.", "safe")
    return _to_list()


@blueprint.post("/<uid>/unpin")
@access.administrator
def unpin(uid: str) -> Response:
    """From now on it counts again."""
    parts = current.appliance()
    row = pins.unpin(parts.db, parts.paths, uid)
    with parts.db.writing() as session:
        current.record(session, "backup.unpinned", row.name)
    flash("The backup is no longer pinned: it counts, and goes when it is the oldest above the maximum.", "message")
    return _to_list()


@blueprint.post("/schedule")
@access.administrator
def schedule() -> Response:
    """When backups are made and how many are kept. When fewer may be kept than there are, it asks first, and each that
    would go may be pinned instead; a yes holds for the backups that were shown."""
    form = Form.posted(initial=_schedule_now())
    wanted = schedule_form.read(form)
    if wanted is None:
        return _index(form)
    if form.text("pin"):
        _pin_one(form.text("pin"))
    is_lower = wanted.maximum < current.values().max_backups
    question = _question(form, wanted) if is_lower else None
    if question is not None:
        return question
    _save(wanted)
    flash(_saved(wanted, _prune() if is_lower else ()), "safe")
    return _to_list()


@blueprint.get("/next")
@access.administrator
def next_due() -> Response:
    """The sentence about the next due time, while the schedule is being changed."""
    form = Form(request.args.to_dict())
    wanted = schedule_form.read(form)
    words = _next_words(wanted) if wanted else next(iter(form.errors.values()))
    return htmx.render("backups/_next.html", words=words)


@blueprint.post("/prune")
@access.administrator
def confirm_prune() -> Response:
    """Yes to a large deletion that waits for one."""
    with current.appliance().db.writing() as session:
        current.record(session, "backup.prune_confirmed", "")
    deleted = _prune()
    flash(f"{filters.count(len(deleted), 'backup')} above the maximum deleted.", "safe")
    return _to_list()


def refuse_while_locked() -> None:
    """Raises Conflict with the sentence that says why nothing runs."""
    locked = current.appliance().locked
    if locked:
        raise Conflict(locked)


def _index(form: Form | None) -> Response:
    """The page; with a form, it says what is wrong with the schedule that was sent."""
    unseen = _look_at_folder()
    with current.appliance().db.reading() as session:
        found = listing.listing(session, current.now())
        view = backup_list.view(found, _around(session, unseen), _eyes())
        return htmx.render(
            "backups/index.html",
            status=200 if form is None else 422,
            view=view,
            locked=current.appliance().locked,
            held=found.held,
            shown=None if request.args.get("all") else backup_list.SHOWN,
            open=[runs.view(run, filters.in_words) for run in _open(session)],
            problems=problems.lately(session),
            form=form or Form(initial=_schedule_now()),
            offer=schedule_form.offer(None if form else _rule(session), filters.zone()),
        )


def _around(session: Session, unseen: str) -> backup_list.Around:
    last = queue.latest(session, "backup")
    waits = last is not None and last.not_before is not None and last.state == "queued"
    parts = current.appliance()
    return backup_list.Around(
        unseen=unseen,
        schedule=schedules.get(session, "backup"),
        last_run=_ended(session) if waits else last,
        waiting=last if waits else None,
        is_beside_data=not unseen and folder.is_beside_data(parts.paths),
        folder=str(parts.paths.backups),
        is_locked=parts.locked is not None,
    )


def _eyes() -> backup_list.Eyes:
    return backup_list.Eyes(current.now(), filters.zone(), filters.clock())


def _look_at_folder() -> str:
    """Bring the list up to the folder; why that is not possible, or the empty text."""
    parts = current.appliance()
    try:
        folder.reconcile(parts.db, parts.paths, limits=parts.limits, now=current.now())
    except Unavailable as error:
        return error.message
    return ""


def _ended(session: Session) -> Run | None:
    return next((run for run in queue.recent(session) if run.kind == "backup"), None)


def _open(session: Session) -> Sequence[Run]:
    """What works on backups now; a retry that waits for its time is told by the status line."""
    return [run for run in queue.open_runs(session) if run.kind in FOLLOWED and run.not_before is None]


def _rule(session: Session) -> Rule:
    found = schedules.get(session, "backup")
    return found.rule if found else OFF


def _schedule_now() -> dict[str, object]:
    with current.appliance().db.reading() as session:
        return schedule_form.initial(_rule(session), store.read(session).max_backups)


def _next_words(wanted: Wanted) -> str:
    return schedule_form.next_words(wanted.rule, filters.zone(), current.now())


def _question(form: Form, wanted: Wanted) -> Response | None:
    """Which backups would go, when there are any and the form does not say yes to these very ones."""
    with current.appliance().db.reading() as session:
        goes = prune.preview(session, maximum=wanted.maximum, now=current.now()).goes
        shown, now = form.typed.get("shown", ""), ",".join(goes)
        if not goes or (shown == now and not form.text("pin")):
            return None
        rows = [row for row in folder.present(session) if row.uid in goes]
        changed = bool(shown) and not form.text("pin")
        return htmx.render(
            "backups/lower.html", rows=rows, shown=now, changed=changed, form=form, maximum=wanted.maximum
        )


def _save(wanted: Wanted) -> None:
    with current.appliance().db.writing() as session:
        store.change(session, schema.MAX_BACKUPS.key, wanted.maximum, current.now())
        schedules.save(session, "backup", "", wanted.rule, filters.zone(), current.now())
        rule = wanted.rule
        detail = f"{rule.frequency}, hour {rule.hour}, weekday {rule.weekday}, at most {wanted.maximum}"
        current.record(session, "backup.schedule_changed", "", detail)


def _saved(wanted: Wanted, deleted: Sequence[str]) -> str:
    words = f"The schedule is saved. {_next_words(wanted)}"
    return f"{words} {filters.count(len(deleted), 'backup')} above the maximum deleted." if deleted else words


def _prune() -> Sequence[str]:
    """Delete what is above the maximum now, as a person confirmed; what could not be deleted is said."""
    parts = current.appliance()
    pruned = prune.apply(parts.db, parts.paths, confirmed=True, now=current.now())
    for sentence in pruned.problems:
        flash(sentence, "lost")
    return pruned.deleted


def _pin_one(uid: str, note: str = "") -> None:
    parts = current.appliance()
    row = pins.pin(parts.db, parts.paths, uid, note, current.now())
    with parts.db.writing() as session:
        current.record(session, "backup.pinned", row.name, row.note)


def _pin(uid: str, form: Form) -> Response:
    with current.appliance().db.reading() as session:
        row = folder.get(session, uid)
        return htmx.render("backups/pin.html", status=200 if form.ok else 422, backup=row, form=form)


def _to_list() -> Response:
    return htmx.go(url_for("backups.index"))
