"""Connected services, and what to do when the key that sealed their credentials is missing."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, url_for

from framerr.core.crypto import InstanceKey, sealed_with
from framerr.core.errors import Conflict, Corrupt, Forbidden
from framerr.integrations import store
from framerr.integrations.models import Integration
from framerr.web import access, current, filters, htmx
from framerr.web.forms import Form

blueprint = Blueprint("integrations", __name__)
# The secrets of each kind: (field, label). A kind that is not known here has one.
CREDENTIALS = {"framer-site": (("api_key", "API key"),)}
_ANY = (("secret", "Secret"),)
# What a state is called: (badge, word).
STATES = {"ok": ("safe", "Connected"), "failed": ("failed", "Failed"), "unknown": ("unverified", "Not checked yet")}


@dataclass(frozen=True)
class IntegrationView:
    """One row. `problem` is the sentence when its credential cannot be opened, or empty."""

    uid: str
    name: str
    kind: str
    badge: str
    word: str
    text: str
    problem: str


@blueprint.get("/settings/integrations")
@access.administrator
def index() -> Response:
    """The list, and where the appliance is locked, the way out."""
    parts = current.appliance()
    with parts.db.reading() as session:
        rows = [_view(row, parts.key) for row in store.list_integrations(session)]
    return htmx.render(
        "integrations/index.html", rows=rows, broken=sum(1 for row in rows if row.problem), locked=parts.locked
    )


@blueprint.get("/settings/integrations/<uid>/credential")
@access.administrator
def credential(uid: str) -> Response:
    """The form to enter a credential again."""
    return _credential(uid, Form())


@blueprint.post("/settings/integrations/<uid>/credential")
@access.administrator
def credential_post(uid: str) -> Response:
    """Seal it with the key at hand, whatever key sealed the old one."""
    form = Form.posted()
    parts = current.appliance()
    with parts.db.reading() as session:
        fields = _fields(store.get(session, uid), parts.key)
    entered = {name: form.secret(name, need=f"Enter the {label}.") for name, label in fields}
    if not form.ok:
        return _credential(uid, form)
    with parts.db.writing() as session:
        changed = store.replace_credential(session, parts.key, uid, entered)
        current.record(session, "integration.credential_replaced", changed.name)
    flash(f"The credential of {changed.name} is saved.", "safe")
    return htmx.go(url_for("integrations.index"))


@blueprint.post("/settings/integrations/unlock")
@access.administrator
def unlock() -> Response:
    """Run again with the key at hand, once it opens every credential. The appliance restarts."""
    parts = current.appliance()
    with parts.db.writing() as session:
        state = store.key_state(session, parts.key)
        if state.other_keys:
            waiting = filters.count(sum(state.other_keys.values()), "credential")
            raise Conflict(f"{waiting} can still not be opened with this key. Enter them again first.")
        current.record(session, "appliance.unlocked", parts.key.fingerprint)
    parts.lifecycle.request_restart("every credential can be opened with the present key")
    flash("Framerr restarts with the present key. Reload this page in a few seconds.", "safe")
    return htmx.go(url_for("integrations.index"))


def _view(row: Integration, key: InstanceKey) -> IntegrationView:
    problem = _problem(row, key)
    badge, word = ("look", "Key missing") if problem else STATES[row.state]
    return IntegrationView(row.uid, row.name, row.kind, badge, word, row.state_text, problem)


def _problem(row: Integration, key: InstanceKey) -> str:
    """Why its credential cannot be opened, or the empty text."""
    try:
        with store.opened(key, row):
            return ""
    except Forbidden:
        return f"Sealed with the key {sealed_with(row.credential)}, which is not the present one."
    except Corrupt as error:
        return error.message


def _fields(row: Integration, key: InstanceKey) -> tuple[tuple[str, str], ...]:
    """What to ask for: what the kind needs, else what the stored credential holds, else one secret."""
    if row.kind in CREDENTIALS:
        return CREDENTIALS[row.kind]
    try:
        with store.opened(key, row) as known:
            return tuple((name, name.replace("_", " ").capitalize()) for name in known) or _ANY
    except (Forbidden, Corrupt):
        return _ANY


def _credential(uid: str, form: Form) -> Response:
    parts = current.appliance()
    with parts.db.reading() as session:
        row = store.get(session, uid)
        view, fields = _view(row, parts.key), _fields(row, parts.key)
    return htmx.render(
        "integrations/credential.html", status=200 if form.ok else 422, form=form, row=view, fields=fields
    )
