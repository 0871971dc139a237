"""Who may call what: every view declares it, one function enforces it, an undeclared view keeps the app from starting.

An instance without users shows only the wizard; an instance with users has no wizard.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from flask import Flask, current_app, flash, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound, Unauthorized

from framerr.accounts import users
from framerr.core.errors import Forbidden
from framerr.web import current, htmx
from framerr.web.htmx import shape

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "framerr_access"
_SET_UP = "framerr.set_up"


class Access(Enum):
    """The levels; their order means nothing."""

    ANYONE = "static files and health: before setup and after, signed in or not"
    PUBLIC = "a stranger, once the instance is set up"
    SIGNED_IN = "everyone with an account"
    ADMINISTRATOR = "administrators"
    SETUP = "the wizard, while there is no user"
    SETUP_OR_ADMINISTRATOR = "the wizard while there is no user, administrators afterwards"


def _declare(level: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, level)
        return view

    return mark


anyone = _declare(Access.ANYONE)
public = _declare(Access.PUBLIC)
signed_in = _declare(Access.SIGNED_IN)
administrator = _declare(Access.ADMINISTRATOR)
setup_only = _declare(Access.SETUP)
setup_or_administrator = _declare(Access.SETUP_OR_ADMINISTRATOR)


def of(app: Flask, endpoint: str) -> Access | None:
    """What a view declared, or None."""
    return getattr(app.view_functions[endpoint], _ATTRIBUTE, None)


def install(app: Flask) -> None:
    """Enforce on every request. Raises TypeError, naming the views, when one did not declare its access."""
    silent = sorted(name for name in app.view_functions if of(app, name) is None)
    if silent:
        raise TypeError(f"These views do not declare who may call them: {', '.join(silent)}")
    app.before_request(_enforce)


def is_set_up() -> bool:
    """Whether the instance has users. Once it has, it has them until the process ends (a reset restarts it)."""
    known = current_app.extensions
    if not known.get(_SET_UP):
        with current.appliance().db.reading() as reading:
            known[_SET_UP] = users.count_users(reading) > 0
    return bool(known[_SET_UP])


def _enforce() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # there is no such page, which the error handler says
    level = of(current_app, request.endpoint)
    if level is Access.ANYONE:
        return None
    if not is_set_up():
        return _before_setup(level)
    if level is Access.SETUP:
        return _after_setup()
    if level is Access.PUBLIC:
        return None
    return _signed_in(needs_administrator=level is not Access.SIGNED_IN)


def _before_setup(level: Access | None) -> ResponseReturnValue | None:
    if level in {Access.SETUP, Access.SETUP_OR_ADMINISTRATOR}:
        return None
    if shape() == "json":
        raise Forbidden("This appliance is not set up yet. Open it in a browser to do so.")
    return htmx.go(url_for("setup.index"))


def _after_setup() -> ResponseReturnValue:
    """Setup cannot be reached again: a person is led on, and told when something was sent; a program gets a 404.

    Nothing is put into the cookie of a request that came without one: another site could send it, and it would take
    the place of the cookie of somebody who is signed in.
    """
    if shape() != "page":
        raise NotFound
    if current.visitor():
        return htmx.go(url_for("home.index"))
    if request.method not in {"GET", "HEAD"} and session:
        flash("This instance is set up already. Sign in.", "message")
    return htmx.go(url_for("auth.login"))


def _signed_in(*, needs_administrator: bool) -> ResponseReturnValue | None:
    found = current.visitor()
    if found is None:
        return _to_login()
    if needs_administrator and not found.is_administrator:
        raise Forbidden("Only an administrator can do this. Ask one, or sign in with another account.")
    return None


def _to_login() -> ResponseReturnValue:
    if shape() == "json":
        raise Unauthorized
    behind = htmx.page_behind()
    return htmx.go(url_for("auth.login", next=None if behind in {None, "/"} else behind), status=401)
