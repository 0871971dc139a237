"""Tries at a password: counted before they are looked at, answered alike."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from framerr.accounts import attempts, users
from framerr.accounts.models import LoginFailure, User
from framerr.accounts.passwords import needs_rehash
from framerr.core.db import Database
from framerr.core.errors import Forbidden, FramerrError, LimitExceeded
from tests.accounts.people import HOME, NOW, PASSWORD, STRANGER, make_user


def attempt(db: Database, username: str, password: str, *, address: str = STRANGER, after: float = 0) -> FramerrError:
    """The refusal of a try that must not succeed."""
    with pytest.raises(FramerrError) as refused:
        attempts.prove(db, username, password, address=address, now=NOW + timedelta(seconds=after))
    return refused.value


def count_failures(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(LoginFailure)) or 0


def test_the_right_password_leaves_no_trace(db: Database) -> None:
    alice = make_user(db)

    proven = attempts.prove(db, " Alice ", PASSWORD, address=HOME, now=NOW)

    assert proven.user_id == alice.id
    assert count_failures(db) == 0


def test_every_refusal_is_the_same_sentence(db: Database) -> None:
    """Wrong password, a name nobody has, a disabled account: one answer that leaks nothing."""
    make_user(db)
    bob = make_user(db, "bob")
    with db.writing() as session:
        users.get_user(session, bob.uid).disabled_at = NOW

    answers = {
        attempt(db, "alice", "wrong horse battery", address="192.0.2.1").message,
        attempt(db, "nobody", PASSWORD, address="192.0.2.2").message,
        attempt(db, "bob", PASSWORD, address="192.0.2.3").message,
        attempt(db, "' OR 1=1 --", "", address="192.0.2.4").message,
        attempt(db, "\ud800", "\ud800", address="192.0.2.5").message,
    }

    assert answers == {"The user name or the password is not right. Check both and try again."}


def test_every_failure_is_a_line_in_the_log_without_what_was_typed(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Guessing left no trace. People type passwords into the name field, so no name is there, only whose account it is."""
    alice = make_user(db)
    with caplog.at_level("INFO"):
        attempt(db, "ALICE", "wrong horse battery")
        attempt(db, "correct horse battery", "", address=HOME)
        attempts.prove(db, "alice", PASSWORD, address=HOME, now=NOW)

    assert [(record.message, record.__dict__["fields"]) for record in caplog.records] == [
        ("a password was not right", {"address": STRANGER, "account": alice.uid}),
        ("a password was not right", {"address": HOME, "account": "unknown"}),
    ]


@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_the_fifth_try_in_a_row_has_to_wait_whether_the_account_exists_or_not(db: Database, username: str) -> None:
    make_user(db)
    for _ in range(4):
        assert isinstance(attempt(db, username, "wrong horse battery"), Forbidden)

    refused = attempt(db, username, PASSWORD, after=1)

    assert isinstance(refused, LimitExceeded)
    assert refused.retry_after == 1
    assert refused.message == "There were too many tries from here. Wait 1 second, then try again."
    assert count_failures(db) == 4  # a try that was not looked at does not make the wait longer


def test_who_waited_may_try_again(db: Database) -> None:
    make_user(db)
    for _ in range(4):
        attempt(db, "alice", "wrong horse battery")

    attempts.prove(db, "alice", PASSWORD, address=STRANGER, now=NOW + timedelta(seconds=2))

    assert count_failures(db) == 0


def test_the_owner_at_home_is_not_locked_out_by_a_stranger(db: Database) -> None:
    """Hundreds of failures from many networks, and the right password from a quiet one works at once."""
    make_user(db)
    with db.writing() as session:
        account = attempts.account_digest("alice")
        session.add_all(LoginFailure(at=NOW, account=account, network=f"203.0.113.{n % 200}") for n in range(600))

    assert attempts.prove(db, "alice", PASSWORD, address=HOME, now=NOW).password_hash.startswith("$argon2id$")


def test_success_on_ones_own_account_does_not_settle_guesses_at_others(db: Database) -> None:
    make_user(db)
    make_user(db, "mallory")
    for n in range(11):
        attempt(db, f"user{n}", "wrong horse battery")

    attempts.prove(db, "mallory", PASSWORD, address=STRANGER, now=NOW + timedelta(seconds=2))

    assert count_failures(db) == 11


def test_tries_that_race_are_all_counted(db: Database) -> None:
    """Ten guesses at the same instant: four are looked at, as they would be one after the other."""
    make_user(db)
    barrier = threading.Barrier(10)
    answers: list[type[FramerrError]] = []

    def guess(number: int) -> None:
        barrier.wait()
        try:
            attempts.prove(db, "alice", f"wrong horse {number}", address=STRANGER, now=NOW)
        except FramerrError as error:
            answers.append(type(error))

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(kind.__name__ for kind in answers) == ["Forbidden"] * 4 + ["LimitExceeded"] * 6


def test_a_hash_of_older_parameters_is_renewed_at_the_next_sign_in(db: Database) -> None:
    alice = make_user(db)
    older = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with db.writing() as session:
        users.get_user(session, alice.uid).password_hash = older

    proven = attempts.prove(db, "alice", PASSWORD, address=HOME, now=NOW)

    with db.reading() as session:
        stored = session.scalars(select(User.password_hash)).one()
    assert stored == proven.password_hash
    assert not needs_rehash(stored)


def test_what_was_typed_is_not_kept(db: Database) -> None:
    attempt(db, "my secret password", "another secret")

    with db.reading() as session:
        row = session.scalars(select(LoginFailure)).one()
        assert "secret" not in f"{row.account} {row.network}"


def test_failures_of_more_than_an_hour_ago_and_from_the_future_are_purged(db: Database) -> None:
    for age in (0, 3599, 3600, 7200, -60, -61, -86400):
        with db.writing() as session:
            session.add(LoginFailure(at=NOW - timedelta(seconds=age), account="a", network="n"))

    with db.writing() as session:
        assert attempts.purge_failures(session, NOW) == 4

    assert count_failures(db) == 3
