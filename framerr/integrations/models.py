"""The table of connected services."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from framerr.core.db import Base, Fate, Json, Sealed, UtcDateTime, fate, new_uid

State = Literal["unknown", "ok", "failed"]


class Integration(Base):
    """One connected service. `credential` is the sealed JSON object of its secrets; `config` holds nothing secret.

    `state` is what the last check at `checked_at` found, `state_text` the sentence about it.
    """

    __tablename__ = "integrations"
    __table_args__ = (
        CheckConstraint("state IN ('unknown', 'ok', 'failed')", name="state"),
        {"info": fate(Fate.KEEP, "Integrations", "connected services and their credentials")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(100))
    config: Mapped[dict[str, Any]] = mapped_column(Json)
    credential: Mapped[str] = mapped_column(Sealed)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[State] = mapped_column(String(8), default="unknown")
    state_text: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
