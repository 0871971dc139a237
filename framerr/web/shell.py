"""What every page shows around its content: names, theme, the signed-in person, banners. The fields: layout/base.html."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask, url_for
from sqlalchemy import select

import framerr
from framerr.core.errors import FramerrError, Unavailable
from framerr.integrations.models import Integration
from framerr.settings import favicon
from framerr.web import current
from framerr.web.person import Person


@dataclass(frozen=True)
class Banner:
    """A line above every page; `href` and `action` are its one button, or empty."""

    kind: str
    title: str
    text: str
    href: str = ""
    action: str = ""


@dataclass(frozen=True)
class ShownPerson:
    """The signed-in person as the sidebar shows them."""

    display_name: str
    initials: str
    picture_url: str
    role: str
    is_administrator: bool


@dataclass(frozen=True)
class Shell:
    """Its defaults are what can be said when the database does not answer."""

    instance_name: str = ""
    version: str = framerr.__version__
    theme: str = "system"
    accent: str = "ink"
    favicon_url: str = ""
    user: ShownPerson | None = None
    show_integrations: bool = False
    banners: list[Banner] = field(default_factory=list)


def install(app: Flask) -> None:
    """Give every template `shell`."""
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    try:
        return {"shell": build()}
    except FramerrError:  # the page that says so must still be shown
        return {"shell": Shell()}


def build() -> Shell:
    """The shell of this request. Raises what the database raises."""
    parts = current.appliance()
    values = current.values()
    found = current.visitor()
    with parts.db.reading() as session:
        has_integrations = session.scalar(select(Integration.id).limit(1)) is not None
    return Shell(
        instance_name=values.instance_name,
        theme=(found.theme if found else None) or values.theme,
        accent=values.accent,
        favicon_url=favicon_url(),
        user=_shown(found) if found else None,
        show_integrations=has_integrations,
        banners=_banners(parts.locked, found),
    )


def favicon_url() -> str:
    """The address of the custom favicon, new with each upload; empty when there is none that can be read."""
    try:
        custom = favicon.path(current.appliance().paths)
    except Unavailable:  # the page Settings → Favicon says why; no other page may fail for it
        return ""
    return url_for("customization.favicon_file", v=f"{custom.stat().st_mtime_ns:x}") if custom else ""


def _shown(found: Person) -> ShownPerson:
    return ShownPerson(
        display_name=found.display_name,
        initials=found.initials,
        picture_url=url_for("account.picture", name=found.picture) if found.picture else "",
        role=found.role,
        is_administrator=found.is_administrator,
    )


def _banners(locked: str | None, found: Person | None) -> list[Banner]:
    """The locked instance says so above every page; the whole sentence is where something can be done about it."""
    if locked is None or found is None:
        return []
    if not found.is_administrator:
        return [Banner("lost", "The key is missing, so nothing runs.", "Tell an administrator.")]
    where = url_for("integrations.index")
    return [
        Banner("lost", "The key is missing, so nothing runs.", "No backups are made meanwhile.", where, "What to do")
    ]
