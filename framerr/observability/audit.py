"""The audit log: who did what to what, when and from where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from framerr.observability.models import AuditEntry


def record(
    session: Session, actor: str, action: str, subject: str, address: str, detail: str, now: datetime
) -> AuditEntry:
    """Add an entry in the transaction of the deed. `actor` is a user name, or `command line`, `setup`, `appliance`;
    `action` a stable word such as `backup.deleted`; `detail` a sentence without secrets, or empty.
    """
    entry = AuditEntry(
        at=now, actor=actor[:100], action=action, subject=subject[:200], address=address[:64], detail=detail
    )
    session.add(entry)
    return entry


def recent(session: Session, *, limit: int = 50) -> Sequence[AuditEntry]:
    """The newest entries first."""
    return session.scalars(select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)).all()


def is_told(session: Session, actor: str, action: str, subject: str, *, since: datetime) -> bool:
    """Whether somebody did this to that since a moment."""
    wanted = select(AuditEntry.id).where(
        AuditEntry.actor == actor,
        AuditEntry.action == action,
        AuditEntry.subject == subject[:200],
        AuditEntry.at >= since,
    )
    return session.scalar(wanted.limit(1)) is not None
