"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for

from framerr.core.errors import Forbidden, LimitExceeded
from framerr.web import access, current, errors, htmx
from framerr.web import auth as signing
from framerr.web.forms import ANYWHERE, Form

blueprint = Blueprint("auth", __name__)


@blueprint.get("/login")
@access.public
def login() -> Response:
    """The form; who is signed in already goes on."""
    if current.visitor() is not None:
        return htmx.go(_onwards())
    return htmx.render("auth/login.html", form=Form(), next=_wanted())


@blueprint.post("/login")
@access.public
def login_post() -> Response:
    """Sign in and go on to `next`, which may only be a page of ours."""
    form = Form.posted()
    username = form.text("username", need="Type your user name.", most=64)
    password = form.secret("password", need="Type your password.")
    wait: float | None = None
    if form.ok:
        try:
            signing.sign_in(username, password, persistent=form.flag("keep"))
            return htmx.go(_onwards())
        except Forbidden as error:
            form.fail(ANYWHERE, error.message)
        except LimitExceeded as error:
            form.fail(ANYWHERE, error.message)
            wait = error.retry_after
    status = 429 if wait is not None else 422
    response = htmx.render("auth/login.html", status=status, form=form, next=_wanted())
    errors.tell_wait(response, wait)
    return response


@blueprint.post("/logout")
@access.signed_in
def logout() -> Response:
    """End this session and forget the cookie."""
    signing.sign_out()
    flash("You are signed out.", "safe")
    return htmx.go(url_for("auth.login"))


def _wanted() -> str | None:
    return signing.local_path(request.values.get("next"))


def _onwards() -> str:
    wanted = _wanted()
    return request.script_root + wanted if wanted else url_for("home.index")
