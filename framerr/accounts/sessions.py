"""Signed-in browsers: a random token in the cookie, its SHA-256 here.

"Keep me signed in" lasts 30 days from signing in; otherwise a session ends 12 hours after it was last used, and after
30 days at the latest. Every sign-in makes a new token.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from framerr.accounts import attempts
from framerr.accounts.models import AccountSession, User
from framerr.core.db import Database

LONGEST = timedelta(days=30)
IDLE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32


def sign_in(
    db: Database,
    username: str,
    password: str,
    *,
    address: str,
    user_agent: str,
    persistent: bool,
    now: datetime,
    replaces: str | None = None,
    also: Callable[[Session, User], None] | None = None,
) -> tuple[str, User]:
    """Check the password and begin a session; returns its token, which is kept nowhere, and the (detached) user.

    `replaces` is the token the browser held before; that session ends. `also` is done in the same transaction. Raises LimitExceeded (`retry_after`) or
    Forbidden as `attempts.prove` does.
    """
    proven = attempts.prove(db, username, password, address=address, now=now)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with db.writing() as session:
        user = session.get(User, proven.user_id)
        if user is None or user.disabled_at is not None or user.password_hash != proven.password_hash:
            raise attempts.refused()  # changed by somebody while the password was being checked
        if replaces is not None:
            sign_out(session, replaces)
        session.add(
            AccountSession(
                token_hash=token_hash(token),
                user_id=user.id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + (LONGEST if persistent else IDLE),
                persistent=persistent,
                address=address[:64],
                user_agent=user_agent[:200],
            )
        )
        if also is not None:
            also(session, user)
    return token, user


def confirm(db: Database, username: str, password: str, *, address: str, now: datetime) -> None:
    """Ask a signed-in person for the password again, before something dangerous. Raises as `sign_in` does."""
    attempts.prove(db, username, password, address=address, now=now)


def load(session: Session, token: str, now: datetime) -> User | None:
    """Whose session this is, detached; None when it is unknown, over, or its user disabled. Writes nothing."""
    user = session.scalar(
        select(User)
        .join(AccountSession, AccountSession.user_id == User.id)
        .where(AccountSession.token_hash == token_hash(token), AccountSession.expires_at > now)
        .where(User.disabled_at.is_(None))
    )
    if user is not None:
        session.expunge(user)
    return user


def touch(db: Database, token: str, now: datetime) -> None:
    """Note that the session was used, which puts off its idle end. Writes once a minute at most, else only reads."""
    with db.reading() as session:
        row = session.get(AccountSession, token_hash(token))
        if row is None or now - row.last_seen_at < SEEN_EVERY or row.expires_at <= now:
            return
    with db.writing() as session:
        row = session.get(AccountSession, token_hash(token))
        if row is None or row.expires_at <= now:
            return  # ended meanwhile
        row.last_seen_at = now
        if not row.persistent:
            row.expires_at = min(now + IDLE, row.created_at + LONGEST)


def sign_out(session: Session, token: str) -> None:
    """End one session; an unknown token is fine."""
    session.execute(delete(AccountSession).where(AccountSession.token_hash == token_hash(token)))


def sign_out_everywhere(session: Session, user_id: int, *, keep_token: str | None = None) -> int:
    """End every session of a user but the one of `keep_token`. Returns how many ended."""
    kept = token_hash(keep_token) if keep_token is not None else ""
    ended = delete(AccountSession).where(AccountSession.user_id == user_id, AccountSession.token_hash != kept)
    return len(session.scalars(ended.returning(AccountSession.token_hash)).all())


def purge_expired(session: Session, now: datetime) -> int:
    """Remove sessions that are over and failures that count no longer (the daily job). Returns how many sessions."""
    attempts.purge_failures(session, now)
    over = delete(AccountSession).where(AccountSession.expires_at <= now).returning(AccountSession.token_hash)
    return len(session.scalars(over).all())


def token_hash(token: str) -> str:
    """What is stored for a token. It is random, so a plain digest is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
