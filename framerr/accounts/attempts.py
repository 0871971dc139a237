"""One throttled try at a password, for signing in and for confirming something dangerous.

The failure is written down before the password is looked at and struck out when it was right: however many tries race,
each is counted before it can succeed.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from framerr.accounts.models import LoginFailure, User
from framerr.accounts.passwords import hash_password, needs_rehash, verify_password
from framerr.accounts.throttle import MEMORY, SKEW, Failure, account_digest, network_of, seconds_to_wait
from framerr.core.db import Database
from framerr.core.errors import Forbidden, LimitExceeded

log = logging.getLogger(__name__)
# More than these cannot change the answer, and an attack must not make each attempt cost more.
_OWN_FAILURES = 500
_OTHER_FAILURES = 50


@dataclass(frozen=True)
class Proven:
    """Whose password it was, and the hash that proved it: whoever acts on it checks that it is still the one."""

    user_id: int
    password_hash: str


def prove(db: Database, username: str, password: str, *, address: str, now: datetime) -> Proven:
    """Check a password, within the limits of `throttle`.

    Raises LimitExceeded (`retry_after`) before looking at anything when this address has to wait, Forbidden with one
    and the same sentence for a wrong password, a name nobody has and a disabled account. Each failure is a line in the
    log, without the name that was typed: people type passwords there.
    """
    with db.writing() as session:
        charge = _charge(session, username, address, now)
        user = _named(session, username.strip())
        known = user if user is not None and user.disabled_at is None else None
    if not verify_password(known.password_hash if known else None, password) or known is None:
        account = user.uid if user is not None else "unknown"
        log.info("a password was not right", extra={"fields": {"address": address, "account": account}})
        raise refused()
    fresh = hash_password(password) if needs_rehash(known.password_hash) else known.password_hash
    with db.writing() as session:
        _strike_out(session, charge)
        _renew(session, known, fresh)
    return Proven(known.id, fresh)


def refused() -> Forbidden:
    """The one answer to every failed attempt."""
    return Forbidden("The user name or the password is not right. Check both and try again.")


def purge_failures(session: Session, now: datetime) -> int:
    """Forget failures that count no longer, and those a wrong clock dated ahead. Returns how many."""
    forgotten = (LoginFailure.at <= now - MEMORY) | (LoginFailure.at > now + SKEW)
    return len(session.scalars(delete(LoginFailure).where(forgotten).returning(LoginFailure.id)).all())


def forgive(session: Session, username: str) -> None:
    """Forget the failures on one account, from wherever they came."""
    session.execute(delete(LoginFailure).where(LoginFailure.account == account_digest(username)))


def _named(session: Session, name: str) -> User | None:
    # Other names exist nowhere, and some, such as half a surrogate pair, the database cannot even be asked for.
    return session.scalar(select(User).where(User.username == name)) if name.isascii() else None


def _charge(session: Session, username: str, address: str, now: datetime) -> LoginFailure:
    charge = LoginFailure(at=now, account=account_digest(username), network=network_of(address))
    waiting = seconds_to_wait(_failures(session, charge, now), account=charge.account, network=charge.network, now=now)
    if waiting > 0:
        seconds = math.ceil(waiting)
        raise LimitExceeded(
            f"There were too many tries from here. Wait {_in_words(seconds)}, then try again.", retry_after=seconds
        )
    session.add(charge)
    return charge


def _failures(session: Session, charge: LoginFailure, now: datetime) -> list[Failure]:
    lately = (LoginFailure.at > now - MEMORY) & (LoginFailure.at <= now + SKEW)
    recent = select(LoginFailure).where(lately).order_by(LoginFailure.at.desc())
    own = recent.where(LoginFailure.network == charge.network).limit(_OWN_FAILURES)
    others = recent.where(LoginFailure.network != charge.network, LoginFailure.account == charge.account)
    rows = [*session.scalars(own), *session.scalars(others.limit(_OTHER_FAILURES))]
    return [Failure(row.at, row.account, row.network) for row in rows]


def _strike_out(session: Session, charge: LoginFailure) -> None:
    """The right password settles what this network owed on this account, not what it owes on others."""
    same = (LoginFailure.account == charge.account) & (LoginFailure.network == charge.network)
    session.execute(delete(LoginFailure).where(same))


def _renew(session: Session, known: User, fresh: str) -> None:
    if fresh != known.password_hash:
        row = session.get(User, known.id)
        if row is not None and row.password_hash == known.password_hash:
            row.password_hash = fresh


def _in_words(seconds: int) -> str:
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"
