"""Tables of people: accounts, their sessions, and recent failures to sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from framerr.core.db import Base, Fate, UtcDateTime, fate, new_uid

Role = Literal["administrator", "editor", "viewer"]
TimeFormat = Literal["12", "24"]
Theme = Literal["system", "light", "dark"]


class User(Base):
    """A person with an account. `picture` is a file name in `paths.profile_pictures`.

    User names are ASCII and unique without regard to case, which is what SQLite's NOCASE compares. `time_format` and
    `theme` are None until the person chooses; the instance's settings hold then.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('administrator', 'editor', 'viewer')", name="role"),
        {"info": fate(Fate.KEEP, "Users", "accounts with their passwords, profiles and preferences")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    username: Mapped[str] = mapped_column(String(64, collation="NOCASE"), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(String(16))
    picture: Mapped[str | None] = mapped_column(String(64))
    time_format: Mapped[TimeFormat | None] = mapped_column(String(2))
    theme: Mapped[Theme | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccountSession(Base):
    """One signed-in browser. Only the SHA-256 of its token is known here."""

    __tablename__ = "account_sessions"
    __table_args__ = (
        Index(None, "user_id"),
        Index(None, "expires_at"),
        {"info": fate(Fate.PURGE, "Sessions", "everybody signs in again")},
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    persistent: Mapped[bool]
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(200))


class LoginFailure(Base):
    """A failed attempt to sign in. The name typed is kept as a digest: people type passwords into the wrong field."""

    __tablename__ = "login_failures"
    __table_args__ = (
        Index(None, "at"),
        {"info": fate(Fate.PURGE, "Failed sign-ins", "waiting times after wrong passwords start anew")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    account: Mapped[str] = mapped_column(String(64))
    network: Mapped[str] = mapped_column(String(64))
