"""Who is signed in: Flask-Login over the server-side sessions of `accounts.sessions`.

One signed cookie carries the random token of the session and the form key, nothing about the account. Its name is
derived from this folder's cookie key, so two appliances on one host do not sign each other out; its path is the base
path; it is HttpOnly, SameSite=Lax, and Secure when the person came by https.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import flask_login
from flask import Flask, Response, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from sqlalchemy.orm import Session

from framerr.accounts import sessions
from framerr.accounts.models import User
from framerr.accounts.throttle import network_of
from framerr.core.crypto import cookie_key
from framerr.core.errors import LimitExceeded, Unavailable
from framerr.core.paths import Paths
from framerr.observability import audit, events
from framerr.web import current
from framerr.web.person import Person

WAITING = "sign-in.slowed"
WAITING_TOLD = 5
TOLD_FOR = timedelta(hours=1)


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, with path and Secure taken from the request that sets it."""

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - the signature is Flask's
        return request.script_root or "/"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - the signature is Flask's
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """As Flask does, but never together with a refusal of a request that came without our cookie.

        Browsers leave it out when another site sends a form; a new one would replace, and sign out, the one they have.
        """
        is_refusal = response.status_code >= 400
        if not is_refusal or self.get_cookie_name(app) in request.cookies:
            super().save_session(app, session, response)


def install(app: Flask, paths: Paths) -> None:
    """Sign cookies with this folder's key and recognise people by them. Raises Unavailable when the key is not readable."""
    key = cookie_key(paths)
    app.secret_key = key
    app.session_interface = CookieSessions()
    app.config["SESSION_COOKIE_NAME"] = "framerr_" + hashlib.sha256(b"cookie name\0" + key).hexdigest()[:8]
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    app.config["PERMANENT_SESSION_LIFETIME"] = sessions.LONGEST
    manager = flask_login.LoginManager(app, add_context_processor=False)  # templates have `shell`
    manager.session_protection = None  # addresses of phones and laptops change; the token is the proof
    manager.user_loader(_load)


def sign_in(username: str, password: str, *, persistent: bool) -> Person:
    """Check the password, open a session and put its token into a fresh cookie.

    Raises Forbidden (one sentence, whatever was wrong) or LimitExceeded with `retry_after`.
    """
    replaced = current.visitor()
    try:
        token, user = sessions.sign_in(
            current.appliance().db,
            username,
            password,
            address=current.address(),
            user_agent=request.user_agent.string[:200],
            persistent=persistent,
            now=current.now(),
            replaces=replaced.token if replaced else None,
            also=_record_sign_in,
        )
    except LimitExceeded:
        record_waiting()
        raise
    signed_in = Person.of(user, token)
    session.clear()  # nothing a stranger put into the cookie before survives signing in
    session.permanent = persistent
    flask_login.login_user(signed_in)
    return signed_in


def sign_out() -> None:
    """End this browser's session; a stranger's call changes nothing."""
    found = current.visitor()
    if found is not None:
        with current.appliance().db.writing() as writing:
            current.record(writing, "account.signed_out", found.username)
            sessions.sign_out(writing, found.token)
    flask_login.logout_user()
    session.clear()


def record_waiting() -> None:
    """Tell people that tries at a password have to wait: once an hour for each network, and a few times an hour in all,
    however many there are.
    """
    network, now = network_of(current.address()), current.now()
    with current.appliance().db.writing() as writing:
        newest = events.recent(writing, limit=WAITING_TOLD, kind=WAITING)
        lately = [event for event in newest if now - event.at < TOLD_FOR]
        if len(lately) < WAITING_TOLD and all(event.subject != network for event in lately):
            text = f"Too many wrong passwords came from {network}. Each further try from there has to wait."
            events.record(writing, WAITING, level="warn", text=text, subject=network, now=now)


def local_path(text: str | None) -> str | None:
    """`text` when it names a page of this appliance (a path below the base path), else None.

    Refuses other hosts in every spelling browsers accept: `//host`, `/\\host`, schemes, control characters.
    """
    if not text or not text.startswith("/") or text.startswith("//") or "\\" in text:
        return None
    if any(ord(letter) < 0x21 or ord(letter) == 0x7F for letter in text):
        return None
    parts = urlsplit(text)
    return None if parts.scheme or parts.netloc else text


def _record_sign_in(writing: Session, user: User) -> None:
    audit.record(writing, user.username, "account.signed_in", "", current.address(), "", current.now())


def _load(token: str) -> Person | None:
    db = current.appliance().db
    with db.reading() as reading:
        user = sessions.load(reading, token, current.now())
    if user is None:
        return None
    with suppress(Unavailable):  # a full disk must not take away the pages that say so
        sessions.touch(db, token, current.now())
    return Person.of(user, token)
