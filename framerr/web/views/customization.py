"""How the instance is called and looks: appearance, favicon, icons."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, url_for
from sqlalchemy.orm import Session

from framerr.core.errors import InvalidInput, LimitExceeded, NotFound, Unavailable
from framerr.jobs import schedules
from framerr.settings import favicon as favicons
from framerr.settings import icons as stored_icons
from framerr.settings import schema, store
from framerr.web import access, current, files, filters, htmx, shell
from framerr.web.forms import Form

blueprint = Blueprint("customization", __name__)
APPEARANCE = (schema.INSTANCE_NAME, schema.TIME_ZONE, schema.THEME, schema.ACCENT, schema.TIME_FORMAT)


@blueprint.get("/settings/customization/appearance")
@access.administrator
def appearance() -> Response:
    """Name, time zone, and what holds for people who did not choose themselves."""
    return _appearance(Form(initial=_stored()))


@blueprint.post("/settings/customization/appearance")
@access.administrator
def appearance_post() -> Response:
    """Change them together, or none; schedules follow the time zone in the same transaction."""
    form = Form.posted(initial=_stored())
    parsed: dict[str, schema.Value] = {}
    for known in APPEARANCE:
        with form.catching():
            parsed[known.key] = known.parse(form.typed.get(known.key))
    if not form.ok:
        return _appearance(form)
    with current.appliance().db.writing() as session:
        changed = _change(session, parsed, current.now())
    flash("Appearance is saved." if changed else "Nothing was different, so nothing changed.", "safe")
    return htmx.go(url_for("customization.appearance"))


@blueprint.get("/settings/customization/favicon")
@access.administrator
def favicon() -> Response:
    """The picture in the browser's tab."""
    return _favicon(Form())


@blueprint.post("/settings/customization/favicon")
@access.administrator
def favicon_post() -> Response:
    """Take a new one."""
    form = Form.posted()
    data = form.file("picture", need="Choose a picture first.")
    if form.ok:
        with form.catching(InvalidInput, LimitExceeded, field="picture"):
            favicons.save(current.appliance().paths, data)
    if not form.ok:
        return _favicon(form)
    with current.appliance().db.writing() as session:
        current.record(session, "favicon.changed", "")
    flash("The favicon is saved. Browsers show it at the next reload.", "safe")
    return htmx.go(url_for("customization.favicon"))


@blueprint.post("/settings/customization/favicon/remove")
@access.administrator
def favicon_remove() -> Response:
    """Go back to ours."""
    favicons.remove(current.appliance().paths)
    with current.appliance().db.writing() as session:
        current.record(session, "favicon.removed", "")
    flash("The favicon is Framerr’s own again.", "safe")
    return htmx.go(url_for("customization.favicon"))


@blueprint.get("/favicon.png")
@access.anyone
def favicon_file() -> Response:
    """The custom favicon, also for the pages that strangers see."""
    path = favicons.path(current.appliance().paths)
    if path is None:
        raise NotFound("There is no custom favicon.")
    return files.send(path, cache="public, no-cache")


@blueprint.get("/settings/customization/icons")
@access.administrator
def icons() -> Response:
    """Pictures of one's own for sites and links."""
    return _icons(Form())


@blueprint.post("/settings/customization/icons")
@access.administrator
def icons_post() -> Response:
    """Add one."""
    form = Form.posted()
    data = form.file("picture", need="Choose a picture first.")
    name = form.text("name", need="Give the icon a name.")
    parts = current.appliance()
    if form.ok:
        with form.catching(InvalidInput, LimitExceeded, field="picture"):
            stored_icons.add_icon(parts.db, parts.paths, name, data, current.now(), _noting("icon.added"))
    if not form.ok:
        return _icons(form)
    flash(f"The icon “{name}” is saved.", "safe")
    return htmx.go(url_for("customization.icons"))


@blueprint.get("/settings/customization/icons/<uid>")
@access.administrator
def icon(uid: str) -> Response:
    """One icon: rename it, or delete it."""
    return _icon(uid, Form())


@blueprint.post("/settings/customization/icons/<uid>")
@access.administrator
def icon_rename(uid: str) -> Response:
    """Give it another name."""
    form = Form.posted()
    with form.catching(), current.appliance().db.writing() as session:
        renamed = stored_icons.rename_icon(session, uid, form.text("name"))
        current.record(session, "icon.renamed", renamed.name)
    if not form.ok:
        return _icon(uid, form)
    flash("The icon has its new name.", "safe")
    return htmx.go(url_for("customization.icons"))


@blueprint.post("/settings/customization/icons/<uid>/delete")
@access.administrator
def icon_delete(uid: str) -> Response:
    """Remove it and its file."""
    parts = current.appliance()
    name = stored_icons.delete_icon(parts.db, parts.paths, uid, _noting("icon.deleted"))
    flash(f"The icon “{name}” is deleted.", "safe")
    return htmx.go(url_for("customization.icons"))


@blueprint.get("/custom-icons/<file>")
@access.signed_in
def icon_file(file: str) -> Response:
    """The picture of an icon."""
    return files.send(stored_icons.icon_path(current.appliance().paths, file), cache=files.FOR_EVER)


def _noting(action: str) -> stored_icons.Also:
    """The audit entry about an icon, for the transaction that changes it."""
    return lambda session, icon: current.record(session, action, icon.name)


def _stored() -> dict[str, schema.Value]:
    return {known.key: current.values()[known.key] for known in APPEARANCE}


def _change(session: Session, parsed: dict[str, schema.Value], now: datetime) -> bool:
    before = store.read(session)
    different = {key: value for key, value in parsed.items() if before[key] != value}
    for key, value in different.items():
        store.change(session, key, value, now)
        current.record(session, "setting.changed", key, f"From {before[key]} to {value}.")
    if schema.TIME_ZONE.key in different:
        schedules.rezone(session, ZoneInfo(str(different[schema.TIME_ZONE.key])), now)
    return bool(different)


def _appearance(form: Form) -> Response:
    return htmx.render(
        "customization/appearance.html",
        status=200 if form.ok else 422,
        form=form,
        settings=APPEARANCE,
        zones=schema.time_zones(),
        zone=current.values().time_zone,
        now=current.now(),
    )


def _favicon(form: Form) -> Response:
    unreadable = ""
    try:
        favicons.path(current.appliance().paths)
    except Unavailable as error:
        unreadable = error.message
    return htmx.render(
        "customization/favicon.html",
        status=200 if form.ok else 422,
        form=form,
        custom_url=shell.favicon_url(),
        unreadable=unreadable,
        limit=filters.limit(favicons.MAX_BYTES),
    )


def _icons(form: Form) -> Response:
    with current.appliance().db.reading() as session:
        return htmx.render(
            "customization/icons.html",
            status=200 if form.ok else 422,
            form=form,
            icons=stored_icons.list_icons(session),
            limit=filters.limit(stored_icons.MAX_BYTES),
        )


def _icon(uid: str, form: Form) -> Response:
    with current.appliance().db.reading() as session:
        wanted = next((icon for icon in stored_icons.list_icons(session) if icon.uid == uid), None)
        if wanted is None:
            raise NotFound("This icon does not exist any more.")
        return htmx.render("customization/icon.html", status=200 if form.ok else 422, form=form, shown=wanted)
