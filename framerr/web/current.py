"""What a view needs to know of the request it answers: the appliance, the moment, the person, the settings."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import flask_login
from flask import current_app, g, request
from sqlalchemy.orm import Session

from framerr.appliance import Appliance
from framerr.core.clock import utcnow
from framerr.core.errors import Forbidden
from framerr.observability import audit
from framerr.settings import store
from framerr.web.person import Person

EXTENSION = "framerr"


def appliance() -> Appliance:
    """The long-lived parts of this instance."""
    return cast(Appliance, current_app.extensions[EXTENSION])


def now() -> datetime:
    """The moment of this request: the clock is read once, everything that happens in it happens then."""
    if "now" not in g:
        g.now = utcnow()
    return cast(datetime, g.now)


def visitor() -> Person | None:
    """The signed-in person, or None."""
    user = flask_login.current_user
    return cast(Person, user._get_current_object()) if user.is_authenticated else None  # noqa: SLF001 - a proxy of Flask-Login


def person() -> Person:
    """The signed-in person. Raises Forbidden for a stranger, whom `access` never lets as far as this."""
    found = visitor()
    if found is None:
        raise Forbidden("Sign in first.")
    return found


def values() -> store.Values:
    """The instance's settings, read once per request."""
    if "values" not in g:
        with appliance().db.reading() as session:
            g.values = store.read(session)
    return cast(store.Values, g.values)


def address() -> str:
    """Where the request comes from, as far as trusted proxies say; never empty."""
    return request.remote_addr or "unknown"


def record(session: Session, action: str, subject: str, detail: str = "") -> None:
    """Write an audit entry about the signed-in person into the transaction of `session`."""
    found = visitor()
    actor = found.username if found else "setup"
    audit.record(session, actor, action, subject, address(), detail, now())
