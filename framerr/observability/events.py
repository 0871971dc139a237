"""Events: what happened to the instance, in words for people, written in the transaction of what they tell about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from framerr.observability.models import Event, Level


def record(
    session: Session,
    kind: str,
    *,
    level: Level = "info",
    text: str,
    subject: str = "",
    data: Mapping[str, Any] | None = None,
    now: datetime,
) -> Event:
    """Add an event. `kind` is a stable word such as `backup.made`; `data` holds nothing secret, for it is kept."""
    event = Event(at=now, kind=kind, level=level, subject=subject[:200], text=text, data=dict(data or {}))
    session.add(event)
    return event


def recent(session: Session, *, limit: int = 50, kind: str | None = None) -> Sequence[Event]:
    """The newest events first; `kind` is a whole kind or its beginning up to a dot (`backup` finds `backup.made`)."""
    found = select(Event).order_by(Event.at.desc(), Event.id.desc()).limit(limit)
    if kind is not None:
        found = found.where((Event.kind == kind) | Event.kind.startswith(f"{kind}.", autoescape=True))
    return session.scalars(found).all()
