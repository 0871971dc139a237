"""Tables of what happened (events) and of who did what to what (audit entries)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from framerr.core.db import Base, Fate, Json, UtcDateTime, fate, new_uid

Level = Literal["info", "warn", "error"]


class Event(Base):
    """Something that happened to the instance. `kind` is a stable word with dots, `text` a sentence for people."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("level IN ('info', 'warn', 'error')", name="level"),
        Index(None, "at"),
        {"info": fate(Fate.KEEP, "Events", "what happened and when")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(64))
    level: Mapped[Level] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(Json)


class AuditEntry(Base):
    """A person or the appliance did `action` to `subject`. Names are text, so that it outlives whom it names."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "at"),
        {"info": fate(Fate.KEEP, "Audit log", "who did what to what, when and from where")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(Text)
