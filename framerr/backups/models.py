"""Tables of the backup list. Both describe this folder, so they stay here when the rest is backed up or restored."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from framerr.core.db import Base, Fate, Json, UtcDateTime, fate, new_uid

State = Literal["good", "unverified", "damaged", "foreign"]

# Kinds of events, for whoever shows or delivers them.
MADE = "backup.made"
FAILED = "backup.failed"
ADDED = "backup.added"
VERIFIED = "backup.verified"
DAMAGED = "backup.damaged"
DELETED = "backup.deleted"
PRUNED = "backup.pruned"
HELD = "backup.prune-held"
RESTORED = "backup.restored"
RETURNED = "backup.returned"
RESET = "backup.reset"


class Backup(Base):
    """A file in the backups folder. The folder is the truth; the row adds what a file cannot say of itself.

    `state`: good (read back in full at `verified_at`), unverified (ours by its manifest, not read back yet), damaged,
    foreign (no backup this version can use; `problem` says why). A foreign file has the type "other" and the serial 0.
    `missing_since`: the file is not there now. The row stays a while, so that a pin survives an unmounted folder.
    """

    __tablename__ = "backups"
    __table_args__ = (
        CheckConstraint("type IN ('manual', 'scheduled', 'safety', 'other')", name="type"),
        CheckConstraint("state IN ('good', 'unverified', 'damaged', 'foreign')", name="state"),
        Index(None, "created_at"),
        {"info": fate(Fate.LOCAL, "Backup list", "the files in this folder and their pins")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    type: Mapped[str] = mapped_column(String(16))
    serial: Mapped[int] = mapped_column(default=0)
    size: Mapped[int]
    mtime_ns: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    app_version: Mapped[str] = mapped_column(String(40), default="")
    instance_uid: Mapped[str] = mapped_column(String(64), default="")
    instance_name: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[State] = mapped_column(String(16))
    problem: Mapped[str] = mapped_column(Text, default="")
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pinned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text, default="")
    contents: Mapped[dict[str, Any]] = mapped_column(Json(dict), default=dict)
    missing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PruneMark(Base):
    """Under which policy and zone retention last ran, and when: one row. A changed one makes large prunes ask first."""

    __tablename__ = "backup_prune_mark"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        {"info": fate(Fate.LOCAL, "Last clean-up", "when and under which rule old backups were last deleted")},
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    maximum: Mapped[int]
    time_zone: Mapped[str] = mapped_column(String(64))
