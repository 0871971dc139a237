"""A person's own account: profile, preferences, picture, password, signed-in browsers."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, flash, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from framerr.accounts import pictures, sessions, users
from framerr.accounts.models import AccountSession, User
from framerr.core.errors import InvalidInput, LimitExceeded
from framerr.web import access, confirming, current, files, filters, htmx
from framerr.web.forms import Form

blueprint = Blueprint("account", __name__)
AS_THE_INSTANCE = ""


@blueprint.get("/settings/account/profile")
@access.signed_in
def profile() -> Response:
    """Name, picture and preferences."""
    return _profile(Form(initial=_stored()))


@blueprint.post("/settings/account/profile")
@access.signed_in
def profile_post() -> Response:
    """Change the display name."""
    form = Form.posted(initial=_stored())
    with form.catching(), current.appliance().db.writing() as session:
        user = users.update_profile(session, current.person().uid, display_name=form.text("display_name"))
        current.record(session, "profile.changed", user.username, f"Shown as {user.display_name}.")
    if not form.ok:
        return _profile(form)
    flash("Your name is saved.", "safe")
    return htmx.go(url_for("account.profile"))


@blueprint.post("/settings/account/preferences")
@access.signed_in
def preferences() -> Response:
    """Change how times and pages look to this person; an empty choice means as the instance is set."""
    form = Form.posted(initial=_stored())
    with form.catching(), current.appliance().db.writing() as session:
        chosen = {name: form.text(name) or None for name in ("time_format", "theme")}
        user = users.set_preferences(session, current.person().uid, **chosen)
        current.record(session, "profile.preferences_changed", user.username)
    if not form.ok:
        return _profile(form)
    flash("Your preferences are saved.", "safe")
    return htmx.go(url_for("account.profile"))


@blueprint.post("/settings/account/picture")
@access.signed_in
def picture_post() -> Response:
    """Take a new picture, whatever its name says it is."""
    form = Form.posted(initial=_stored())
    data = form.file("picture", need="Choose a picture first.")
    found, parts = current.person(), current.appliance()
    if form.ok:
        with form.catching(InvalidInput, LimitExceeded, field="picture"):
            pictures.save_picture(
                parts.db, parts.paths, found.uid, data, _noting("profile.picture_changed", found.username)
            )
    if not form.ok:
        return _profile(form)
    flash("Your picture is saved.", "safe")
    return htmx.go(url_for("account.profile"))


@blueprint.post("/settings/account/picture/remove")
@access.signed_in
def picture_remove() -> Response:
    """Go back to initials."""
    found, parts = current.person(), current.appliance()
    pictures.remove_picture(parts.db, parts.paths, found.uid, _noting("profile.picture_removed", found.username))
    flash("Your picture is removed.", "safe")
    return htmx.go(url_for("account.profile"))


@blueprint.get("/settings/account/security")
@access.signed_in
def security() -> Response:
    """The password, and where this account is signed in."""
    return _security(Form())


@blueprint.post("/settings/account/security")
@access.signed_in
def security_post() -> Response:
    """Change the password, which signs every other browser out."""
    form = Form.posted()
    new = form.secret("password", need="Type the new password.")
    if form.secret("again", need="Type the new password a second time.") != new:
        form.fail("again", "The two new passwords differ. Type the same one twice.")
    refused = confirming.refusal(form, _security, "current")
    if refused is not None:
        return refused
    found, ended = current.person(), 0
    with form.catching(), current.appliance().db.writing() as session:
        ended = users.set_password(session, found.uid, new, keep_token=found.token)
        current.record(session, "account.password_changed", found.username, f"{ended} other sessions ended.")
    if not form.ok:
        return _security(form, 422)
    others = f" {filters.count(ended, 'other browser is', 'other browsers are')} signed out." if ended else ""
    flash(f"Your password is changed.{others}", "safe")
    return htmx.go(url_for("account.security"))


@blueprint.post("/settings/account/sessions/end")
@access.signed_in
def sessions_end() -> Response:
    """Sign out every browser but this one."""
    found = current.person()
    with current.appliance().db.writing() as session:
        user = users.get_user(session, found.uid)
        ended = sessions.sign_out_everywhere(session, user.id, keep_token=found.token)
        current.record(session, "account.signed_out_elsewhere", user.username, f"{ended} ended.")
    flash(f"{filters.count(ended, 'other browser is', 'other browsers are')} signed out.", "safe")
    return htmx.go(url_for("account.security"))


@blueprint.get("/profile-pictures/<name>")
@access.signed_in
def picture(name: str) -> Response:
    """The file of a profile picture."""
    return files.send(pictures.picture_path(current.appliance().paths, name), cache=files.FOR_EVER)


def _noting(action: str, subject: str) -> pictures.Also:
    """The audit entry, for the transaction of the deed."""
    return lambda session: current.record(session, action, subject)


def _stored() -> dict[str, str]:
    found = current.person()
    return {
        "display_name": found.display_name,
        "time_format": found.time_format or AS_THE_INSTANCE,
        "theme": found.theme or AS_THE_INSTANCE,
    }


def _profile(form: Form) -> Response:
    limit = filters.limit(pictures.MAX_BYTES)
    return htmx.render(
        "account/profile.html",
        status=200 if form.ok else 422,
        form=form,
        picture_limit=limit,
        username=current.person().username,
    )


def _security(form: Form, status: int = 200) -> Response:
    found = current.person()
    with current.appliance().db.reading() as session:
        browsers = _browsers(session, found.uid)
        return htmx.render(
            "account/security.html",
            status=status,
            form=form,
            browsers=browsers,
            username=found.username,
            this_one=sessions.token_hash(found.token),
        )


def _browsers(session: Session, uid: str) -> Sequence[AccountSession]:
    wanted = select(AccountSession).join(User, User.id == AccountSession.user_id).where(User.uid == uid)
    alive = wanted.where(AccountSession.expires_at > current.now())
    return session.scalars(alive.order_by(AccountSession.last_seen_at.desc())).all()
