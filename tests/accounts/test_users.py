"""Accounts: names that cannot be confused, passwords that end sessions, preferences."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from framerr.accounts import sessions, users
from framerr.accounts.models import AccountSession, LoginFailure, User
from framerr.accounts.passwords import verify_password
from framerr.core.db import Database
from framerr.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from tests.accounts.people import HOME, NOW, PASSWORD, STRANGER, make_user


def sign_in(db: Database, password: str = PASSWORD, address: str = HOME) -> str:
    token, _ = sessions.sign_in(db, "alice", password, address=address, user_agent="", persistent=True, now=NOW)
    return token


def test_a_user_is_found_in_any_case_and_shown_as_typed(db: Database) -> None:
    made = make_user(db, " Alice ")

    with db.reading() as session:
        found = users.find_by_username(session, "aLICE")
        assert found is not None
        assert (found.uid, found.username, found.display_name) == (made.uid, "Alice", "Alice")
        assert (found.role, found.time_format, found.theme, found.picture) == ("administrator", None, None, None)
        assert found.password_hash.startswith("$argon2id$")
        assert users.find_by_username(session, "bob") is None
        assert users.count_users(session) == 1


def test_a_name_is_taken_in_every_case(db: Database) -> None:
    make_user(db)

    with pytest.raises(Conflict, match="already a user named ALICE"):
        make_user(db, "ALICE")

    with db.reading() as session:
        assert users.count_users(session) == 1


@pytest.mark.parametrize(
    "username", ["", " ", ".alice", "al ice", "al\u0456ce", "ali\nce", "a" * 65, "alice\0", "../x", "<b>", "\ud800"]
)
def test_names_that_could_be_confused_or_misread_are_refused(db: Database, username: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_user(db, username)

    assert refused.value.field == "username"


@pytest.mark.parametrize("username", ["a", "alice", "alice@example.com", "A.B-c_d+e", "0", "a" * 64])
def test_ordinary_names_and_addresses_are_fine(username: str) -> None:
    assert users.check_username(username) == username


def test_a_bad_password_creates_nobody(db: Database) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_user(db, "alice", "short")

    assert refused.value.field == "password"
    with db.reading() as session:
        assert users.count_users(session) == 0


@pytest.mark.parametrize("name", ["Alice Müller", "愛", "\U0001f469\u200d\U0001f467 Al", "<b>Al</b>"])
def test_a_display_name_may_be_anything_visible(db: Database, name: str) -> None:
    alice = make_user(db)

    with db.writing() as session:
        users.update_profile(session, alice.uid, display_name=f"  {name} ")

    with db.reading() as session:
        assert users.get_user(session, alice.uid).display_name == name


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0", "\u202egnp.exe", "\u200b", "x" * 101, "a\u2028b"])
def test_a_display_name_that_hides_something_is_refused(db: Database, name: str) -> None:
    alice = make_user(db)

    with pytest.raises(InvalidInput) as refused, db.writing() as session:
        users.update_profile(session, alice.uid, display_name=name)

    assert refused.value.field == "display_name"
    with db.reading() as session:
        assert users.get_user(session, alice.uid).display_name == "alice"


def test_preferences_are_chosen_and_given_back_to_the_instance(db: Database) -> None:
    alice = make_user(db)

    with db.writing() as session:
        users.set_preferences(session, alice.uid, time_format="24", theme="dark")
    with db.reading() as session:
        chosen = users.get_user(session, alice.uid)
        assert (chosen.time_format, chosen.theme) == ("24", "dark")
    with db.writing() as session:
        users.set_preferences(session, alice.uid, time_format=None, theme=None)
    with db.reading() as session:
        given_back = users.get_user(session, alice.uid)
        assert (given_back.time_format, given_back.theme) == (None, None)


@pytest.mark.parametrize(
    ("time_format", "theme", "field"), [("13", None, "time_format"), ("", None, "time_format"), (None, "pink", "theme")]
)
def test_other_preferences_are_refused(db: Database, time_format: str | None, theme: str | None, field: str) -> None:
    alice = make_user(db)

    with pytest.raises(InvalidInput) as refused, db.writing() as session:
        users.set_preferences(session, alice.uid, time_format=time_format, theme=theme)

    assert refused.value.field == field


def test_a_new_password_ends_the_other_sessions(db: Database) -> None:
    alice = make_user(db)
    here, _, _ = sign_in(db), sign_in(db), sign_in(db)

    with db.writing() as session:
        ended = users.set_password(session, alice.uid, "a new horse entirely", keep_token=here)

    assert ended == 2
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AccountSession)) == 1
        user = sessions.load(session, here, NOW)
        assert user is not None
        assert verify_password(user.password_hash, "a new horse entirely")
    with pytest.raises(Forbidden):
        sign_in(db, PASSWORD)


def test_a_password_reset_ends_all_sessions_and_all_waiting(db: Database) -> None:
    """`framerr reset-password` must let the owner in at once, also after many wrong tries from the same address."""
    alice = make_user(db)
    sign_in(db)
    with db.writing() as session:
        account = sessions.attempts.account_digest("alice")
        session.add_all(LoginFailure(at=NOW, account=account, network=STRANGER) for _ in range(30))

    with db.writing() as session:
        assert users.set_password(session, alice.uid, "a new horse entirely") == 1

    assert sign_in(db, "a new horse entirely", STRANGER)


def test_a_bad_new_password_changes_nothing(db: Database) -> None:
    alice = make_user(db)
    token = sign_in(db)

    with pytest.raises(InvalidInput), db.writing() as session:
        users.set_password(session, alice.uid, "ALICE")

    with db.reading() as session:
        assert sessions.load(session, token, NOW) is not None


def test_a_person_who_is_gone_is_not_found(db: Database) -> None:
    with db.reading() as session, pytest.raises(NotFound):
        users.get_user(session, "nobody")


def test_an_unknown_role_is_refused_by_the_database(db: Database) -> None:
    with pytest.raises(Exception, match="ck_users_role"), db.writing() as session:
        session.add(
            User(username="eve", display_name="Eve", password_hash="", role="root", created_at=NOW)  # type: ignore[arg-type]
        )
