"""Tables of the instance: changed settings, its identity, what describes this folder only, and custom icons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from framerr.core.db import Base, Fate, Json, UtcDateTime, fate, new_uid


class Setting(Base):
    """A value that differs from its default. Keys this version does not know are kept and ignored."""

    __tablename__ = "settings"
    __table_args__ = ({"info": fate(Fate.KEEP, "Settings", "what was changed from the defaults")},)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Instance(Base):
    """Who this instance is: one row. It travels with a backup, so a restored container continues the same instance."""

    __tablename__ = "instance"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        {"info": fate(Fate.KEEP, "Instance", "its identity, so that backups are recognised as its own")},
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    uid: Mapped[str] = mapped_column(String(32), default=new_uid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InstanceLocal(Base):
    """What is true of this `/config` folder and would be a lie in another: one row, never in an archive.

    `key_fingerprint` tells which key sealed the credentials here; `backup_serial` is the last number given to a backup
    made here.
    """

    __tablename__ = "instance_local"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("backup_serial >= 0", name="backup_serial"),
        {"info": fate(Fate.LOCAL, "This folder", "the fingerprint of its key and its backup counter")},
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    key_fingerprint: Mapped[str | None] = mapped_column(String(12))
    backup_serial: Mapped[int] = mapped_column(default=0)


class CustomIcon(Base):
    """An icon that a person uploaded. `file` is a file name in `paths.custom_icons`."""

    __tablename__ = "custom_icons"
    __table_args__ = ({"info": fate(Fate.KEEP, "Custom icons", "their names; the pictures are in custom-icons/")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    name: Mapped[str] = mapped_column(String(100))
    file: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
