"""Sessions: tokens that are kept nowhere, and when they end."""

from __future__ import annotations

import sqlite3
import threading
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from framerr.accounts import passwords, sessions, users
from framerr.accounts.models import AccountSession, LoginFailure
from framerr.core.db import Base, Database
from framerr.core.errors import Forbidden
from tests.accounts.people import HOME, NOW, PASSWORD, make_user

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def sign_in(db: Database, *, persistent: bool = False, now: datetime = NOW, replaces: str | None = None) -> str:
    token, user = sessions.sign_in(
        db,
        "alice",
        PASSWORD,
        address=HOME,
        user_agent="Browser/1.0",
        persistent=persistent,
        now=now,
        replaces=replaces,
    )
    assert user.username == "alice"
    return token


def is_open(db: Database, token: str, now: datetime) -> bool:
    with db.reading() as session:
        user = sessions.load(session, token, now)
    return user is not None and user.username == "alice"  # readable although detached


def count(db: Database, table: type[Base]) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def last_seen(db: Database, token: str) -> datetime:
    with db.reading() as session:
        found = select(AccountSession.last_seen_at).where(AccountSession.token_hash == sessions.token_hash(token))
        return session.scalars(found).one()


def test_a_token_is_random_and_only_its_digest_is_stored(db: Database) -> None:
    make_user(db)

    tokens = {sign_in(db) for _ in range(3)}

    assert len(tokens) == 3
    assert all(len(token) >= 43 for token in tokens)  # 256 bits
    db.checkpoint()
    stored = db.path.read_bytes()
    assert not any(token.encode() in stored for token in tokens)


def test_a_session_without_keep_me_signed_in_ends_after_12_idle_hours(db: Database) -> None:
    make_user(db)
    token = sign_in(db)

    assert is_open(db, token, NOW + 12 * HOUR - timedelta(microseconds=1))
    assert not is_open(db, token, NOW + 12 * HOUR)


def test_use_puts_off_the_idle_end_but_not_beyond_30_days(db: Database) -> None:
    make_user(db)
    token = sign_in(db)
    moment = NOW
    while moment < NOW + 31 * DAY and is_open(db, token, moment):
        sessions.touch(db, token, moment)
        moment += 11 * HOUR

    assert NOW + 30 * DAY <= moment < NOW + 30 * DAY + 11 * HOUR


def test_keep_me_signed_in_ends_30_days_after_signing_in(db: Database) -> None:
    make_user(db)
    token = sign_in(db, persistent=True)

    sessions.touch(db, token, NOW + 29 * DAY)

    assert is_open(db, token, NOW + 30 * DAY - timedelta(microseconds=1))
    assert not is_open(db, token, NOW + 30 * DAY)


def test_use_is_noted_once_a_minute_at_most(db: Database) -> None:
    make_user(db)
    token = sign_in(db)

    sessions.touch(db, token, NOW + timedelta(seconds=59))
    assert last_seen(db, token) == NOW
    sessions.touch(db, token, NOW + MINUTE)
    assert last_seen(db, token) == NOW + MINUTE
    sessions.touch(db, token, NOW - DAY)  # the clock went back
    assert last_seen(db, token) == NOW + MINUTE


def test_touch_does_not_revive_what_is_over_or_unknown(db: Database) -> None:
    make_user(db)
    token = sign_in(db)

    sessions.touch(db, token, NOW + 13 * HOUR)
    sessions.touch(db, "made up", NOW)

    assert last_seen(db, token) == NOW
    assert not is_open(db, token, NOW + 13 * HOUR)


def test_signing_in_again_makes_a_new_token_and_ends_the_old(db: Database) -> None:
    """A token planted before signing in is worth nothing afterwards (session fixation)."""
    make_user(db)
    old = sign_in(db)

    new = sign_in(db, replaces=old)

    assert new != old
    assert not is_open(db, old, NOW)
    assert is_open(db, new, NOW)


def test_signing_out_ends_this_browser_only(db: Database) -> None:
    make_user(db)
    here, there = sign_in(db), sign_in(db)

    with db.writing() as session:
        sessions.sign_out(session, here)
        sessions.sign_out(session, "unknown")

    assert not is_open(db, here, NOW)
    assert is_open(db, there, NOW)


def test_signing_out_everywhere_can_spare_this_browser(db: Database) -> None:
    alice = make_user(db)
    here, *others = (sign_in(db) for _ in range(3))

    with db.writing() as session:
        assert sessions.sign_out_everywhere(session, alice.id, keep_token=here) == 2
    assert is_open(db, here, NOW)
    assert not any(is_open(db, other, NOW) for other in others)
    with db.writing() as session:
        assert sessions.sign_out_everywhere(session, alice.id) == 1
    assert not is_open(db, here, NOW)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "0" * 100_000])
def test_made_up_tokens_open_nothing(db: Database, token: str) -> None:
    make_user(db)
    sign_in(db)

    assert not is_open(db, token, NOW)


def test_the_stored_digest_is_no_token(db: Database) -> None:
    """Who reads the database, or an old backup, cannot sign in with what is there."""
    make_user(db)
    token = sign_in(db)

    assert not is_open(db, sessions.token_hash(token), NOW)


def test_a_disabled_person_is_out_at_once(db: Database) -> None:
    alice = make_user(db)
    token = sign_in(db)

    with db.writing() as session:
        users.get_user(session, alice.uid).disabled_at = NOW

    assert not is_open(db, token, NOW)


def test_expired_sessions_are_purged(db: Database) -> None:
    make_user(db)
    idle, kept = sign_in(db), sign_in(db, persistent=True)

    with db.writing() as session:
        assert sessions.purge_expired(session, NOW + 12 * HOUR) == 1

    assert not is_open(db, idle, NOW)
    assert is_open(db, kept, NOW)


def test_sessions_go_with_their_user(db: Database) -> None:
    alice = make_user(db)
    token = sign_in(db)

    with db.writing() as session:
        session.delete(users.get_user(session, alice.uid))

    assert not is_open(db, token, NOW)


def test_a_dangerous_deed_asks_for_the_password_again(db: Database) -> None:
    make_user(db)

    sessions.confirm(db, "alice", PASSWORD, address=HOME, now=NOW)
    with pytest.raises(Forbidden):
        sessions.confirm(db, "alice", "wrong horse battery", address=HOME, now=NOW)


def test_what_browsers_say_of_themselves_is_cut_to_size(db: Database) -> None:
    make_user(db)

    sessions.sign_in(db, "alice", PASSWORD, address="x" * 500, user_agent="y" * 5000, persistent=False, now=NOW)

    with sqlite3.connect(db.path) as connection:
        row = connection.execute("SELECT length(address), length(user_agent) FROM account_sessions").fetchone()
    connection.close()
    assert row == (64, 200)


def test_a_password_changed_while_the_old_one_is_checked_opens_no_session(db: Database) -> None:
    """Both places where passwords are worked on are taken, so the check waits while the password changes."""
    alice = make_user(db)
    answers: list[str] = []

    def late() -> None:
        try:
            answers.append(sign_in(db))
        except Forbidden as error:
            answers.append(error.code)

    thread = threading.Thread(target=late)
    with passwords._slot(), passwords._slot():
        thread.start()
        deadline = time.monotonic() + 8
        while not count(db, LoginFailure) and time.monotonic() < deadline:
            thread.join(0.01)
        with db.writing() as session:
            users.get_user(session, alice.uid).password_hash = "another"
    thread.join()

    assert answers == ["forbidden"]
    assert count(db, AccountSession) == 0
