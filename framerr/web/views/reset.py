"""Settings → Advanced → Reset: back to the wizard, with a safety backup left behind."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for

from framerr.core.files import size_in_words
from framerr.jobs import queue
from framerr.web import access, confirming, current, htmx
from framerr.web.forms import Form

blueprint = Blueprint("reset", __name__)
KIND = "reset"


@blueprint.get("/settings/advanced/reset")
@access.administrator
def index() -> Response:
    """What a reset takes away, what it leaves, and the form that asks twice."""
    return _page(Form(), 200)


@blueprint.post("/settings/advanced/reset")
@access.administrator
def index_post() -> Response:
    """Queue it, once the name is typed and the password is right. The task makes the safety backup first."""
    form = Form.posted()
    wanted = current.values().instance_name
    if form.text("name", need=f"Type the name of this instance: {wanted}") != wanted:
        form.fail("name", f"This is not the name of this instance. Type: {wanted}")
    refused = confirming.refusal(form, _page)
    if refused is not None:
        return refused
    found, parts = current.person(), current.appliance()
    with parts.db.writing() as session:
        run, _ = queue.enqueue(session, KIND, trigger="manual", requested_by=found.username, now=current.now())
        current.record(session, "reset.requested", wanted, run.uid)
    parts.lifecycle.wake()
    flash("The reset has begun. Afterwards Framerr restarts and shows its wizard.", "message")
    return htmx.go(url_for("activity.run", uid=run.uid))


def _page(form: Form, status: int) -> Response:
    parts = current.appliance()
    size = size_in_words(parts.paths.database.stat().st_size)
    has_code = parts.settings.setup_code != "off"
    return htmx.render(
        "reset/index.html",
        status=status,
        form=form,
        folder=parts.paths.backups,
        size=size,
        has_code=has_code,
    )
