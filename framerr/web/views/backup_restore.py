"""Restoring a backup on a running instance: what is inside, the password, the waiting page, the login."""

from __future__ import annotations

from flask import Response, flash, url_for

from framerr.backups import folder
from framerr.backups.inspect import against
from framerr.web import access, confirming, current, filters, htmx, inside, inspections, restores
from framerr.web.forms import Form
from framerr.web.views.backup_files import blueprint

__all__ = ["blueprint"]


@blueprint.get("/<uid>/restore")
@access.administrator
def restore(uid: str) -> Response:
    """What is inside, what a restore would do, and the password."""
    return _restore(uid, Form())


@blueprint.post("/<uid>/restore")
@access.administrator
def restore_post(uid: str) -> Response:
    """Begin, once the password is right."""
    refused = confirming.refusal(Form.posted(), lambda form, status: _restore(uid, form, status))
    if refused is not None:
        return refused
    with current.appliance().db.writing() as session:
        row = folder.get(session, uid)
        run = restores.begin(session, {"backup": uid}, row.name, current.person().username)
    current.appliance().lifecycle.wake()
    return htmx.go(url_for("backups.restoring", uid=run.uid))


@blueprint.get("/restoring/<uid>")
@access.administrator
def restoring(uid: str) -> Response:
    """How it goes, until the restart; the script of the page leads on to the login."""
    with current.appliance().db.reading() as session:
        going, restarting = restores.going(session, uid), restores.restarting(session, uid)
    template = "backups/_restoring.html" if htmx.wants_fragment() else "backups/restoring.html"
    again, cancel = url_for("backups.index"), url_for("activity.cancel", uid=uid)
    return htmx.render(template, going=going, restarting=restarting, again=again, cancel=cancel)


@blueprint.get("/restored")
@access.public
def restored() -> Response:
    """Where a restore ends: it is said how, and one signs in."""
    if restores.is_on_trial():
        flash("Restored. Sign in with an account from the backup.", "safe")
    else:
        with current.appliance().db.reading() as session:
            returned = restores.came_back(session)
        if returned:
            flash(returned, "lost")
    return htmx.go(url_for("home.index") if current.visitor() else url_for("auth.login"))


def _restore(uid: str, form: Form, status: int = 200) -> Response:
    parts = current.appliance()
    with parts.db.reading() as session:
        row = folder.get(session, uid)
        path, note = folder.file_of(parts.paths, row), row.note
    looked = inspections.look(path)
    here, another = url_for("backups.restore", uid=uid), url_for("backups.index")
    if htmx.wants_fragment():
        return restores.fragment(looked, path.name, here, another)
    shown = None
    if looked.found is not None:
        with parts.db.reading() as session:
            beside = against(session, looked.found.manifest)
        shown = inside.view(looked.found, path.name, filters.in_words, beside, note)
    return htmx.render(
        "backups/restore.html", status=status, form=form, looked=looked, inside=shown,
        name=path.name, address=here, another=another,
    )  # fmt: skip
