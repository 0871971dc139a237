"""Settings → Advanced → Reset: back to the wizard, with a safety backup left behind."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for

from framerr.accounts import sessions
from framerr.core.errors import Forbidden, LimitExceeded
from framerr.core.files import size_in_words
from framerr.jobs import queue
from framerr.web import access, current, errors, htmx
from framerr.web.forms import Form

blueprint = Blueprint("reset", __name__)
KIND = "reset"


@blueprint.get("/settings/advanced/reset")
@access.administrator
def index() -> Response:
    """What a reset takes away, what it leaves, and the form that asks twice."""
    return _page(Form())


@blueprint.post("/settings/advanced/reset")
@access.administrator
def index_post() -> Response:
    """Queue it, once the name is typed and the password is right. The task makes the safety backup first."""
    form = Form.posted()
    wanted = current.values().instance_name
    if form.text("name", need=f"Type the name of this instance: {wanted}") != wanted:
        form.fail("name", f"This is not the name of this instance. Type: {wanted}")
    password = form.secret("password", need="Type your password.")
    if not form.ok:
        return _page(form)
    found = current.person()
    db = current.appliance().db
    try:
        sessions.confirm(db, found.username, password, address=current.address(), now=current.now())
    except Forbidden:
        form.fail("password", "This is not your password. Try again.")
        return _page(form)
    except LimitExceeded as error:
        form.fail("password", error.message)
        response = _page(form, status=429)
        errors.tell_wait(response, error.retry_after)
        return response
    with db.writing() as session:
        run, _ = queue.enqueue(session, KIND, trigger="manual", requested_by=found.username, now=current.now())
        current.record(session, "reset.requested", wanted, run.uid)
    current.appliance().lifecycle.wake()
    flash("The reset has begun. Afterwards Framerr restarts and shows its wizard.", "message")
    return htmx.go(url_for("activity.run", uid=run.uid))


def _page(form: Form, status: int = 422) -> Response:
    parts = current.appliance()
    size = size_in_words(parts.paths.database.stat().st_size)
    has_code = parts.settings.setup_code != "off"
    return htmx.render(
        "reset/index.html",
        status=200 if form.ok else status,
        form=form,
        folder=parts.paths.backups,
        size=size,
        has_code=has_code,
    )
