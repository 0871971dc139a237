"""Credentials: sealed at rest, readable in a `with` only, and told apart by key (R-002-32, T22)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from framerr.core.crypto import InstanceKey
from framerr.core.db import Database, sealed_columns
from framerr.core.errors import Corrupt, Forbidden, InvalidInput, NotFound
from framerr.integrations import store
from framerr.integrations.models import Integration

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECRET = "fr_api_key_0123456789"


@pytest.fixture
def key() -> InstanceKey:
    return InstanceKey.new()


def add(db: Database, key: InstanceKey, name: str = "Shop", secret: str = SECRET) -> Integration:
    with db.writing() as session:
        return store.add(
            session,
            key,
            kind="framer",
            name=name,
            config={"project": "abc", "deep": {"list": [1, None]}},
            credential={"api_key": secret, "scopes": ["read"]},
            now=NOW,
        )


def test_a_credential_is_readable_inside_the_block_only(db: Database, key: InstanceKey) -> None:
    added = add(db, key)

    with store.opened(key, added) as credential:
        kept = credential
        assert credential == {"api_key": SECRET, "scopes": ["read"]}

    assert kept == {}


def test_it_is_emptied_also_when_the_block_fails(db: Database, key: InstanceKey) -> None:
    added = add(db, key)
    kept: list[dict[str, object]] = []

    with pytest.raises(RuntimeError), store.opened(key, added) as credential:  # noqa: PT012 - what is held must be seen
        kept.append(credential)
        raise RuntimeError

    assert kept == [{}]


def test_the_file_never_holds_the_secret(db: Database, key: InstanceKey) -> None:
    add(db, key)
    db.checkpoint()

    assert SECRET.encode() not in db.path.read_bytes()


def test_what_is_not_secret_is_kept_as_it_is(db: Database, key: InstanceKey) -> None:
    uid = add(db, key, " My  shop ").uid

    with db.reading() as session:
        found = store.get(session, uid)
        assert (found.kind, found.name, found.created_at) == ("framer", "My shop", NOW)
        assert found.config == {"project": "abc", "deep": {"list": [1, None]}}
        assert (found.state, found.state_text, found.checked_at) == ("unknown", "", None)
        assert SECRET not in repr(found.__dict__)


def test_integrations_are_listed_by_name(db: Database, key: InstanceKey) -> None:
    for name in ("shop", "API", "Blog"):
        add(db, key, name)

    with db.reading() as session:
        assert [one.name for one in store.list_integrations(session)] == ["API", "Blog", "shop"]


def test_a_nameless_one_is_refused(db: Database, key: InstanceKey) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(db, key, " ")

    assert refused.value.field == "name"


def test_an_unknown_one_is_not_found(db: Database) -> None:
    with db.reading() as session, pytest.raises(NotFound):
        store.get(session, "nothing")


def test_with_another_key_it_stays_shut_and_says_which_key(db: Database, key: InstanceKey) -> None:
    added, other = add(db, key), InstanceKey.new()

    with pytest.raises(Forbidden, match=f"{key.fingerprint}.*{other.fingerprint}"), store.opened(other, added):
        pass


def test_a_credential_entered_again_works_with_the_new_key(db: Database, key: InstanceKey) -> None:
    added, new = add(db, key), InstanceKey.new()
    with db.writing() as session:
        found = store.get(session, added.uid)
        found.state, found.state_text, found.checked_at = "failed", "Refused.", NOW

    with db.writing() as session:
        replaced = store.replace_credential(session, new, added.uid, {"api_key": "another"})

    assert (replaced.state, replaced.state_text, replaced.checked_at) == ("unknown", "", None)
    with store.opened(new, replaced) as credential:
        assert credential == {"api_key": "another"}


def test_it_is_said_how_many_credentials_the_key_opens(db: Database, key: InstanceKey) -> None:
    """T22: after a restore under another key nothing is silently dead."""
    old, older = InstanceKey.new(), InstanceKey.new()
    for sealed_by in (key, key, key, old, old, older):
        add(db, sealed_by)
    with db.writing() as session:
        for credential in (
            "plain:{}",
            "garbage",
            f"sealed:1:{key.fingerprint}:AAAA",
            key.seal("{}", "other.column"),
            key.seal("[1]", store.CONTEXT),
        ):
            session.add(Integration(kind="x", name="x", config={}, credential=credential, created_at=NOW))

    with db.reading() as session:
        state = store.key_state(session, key)

    assert state == store.KeyState(opened=3, other_keys={old.fingerprint: 2, older.fingerprint: 1}, damaged=5)
    assert not state.is_whole


def test_without_integrations_every_key_is_right(db: Database, key: InstanceKey) -> None:
    with db.reading() as session:
        assert store.key_state(session, key).is_whole


@pytest.mark.parametrize("inside", ["[1]", "7", "not json", ""])
def test_a_credential_that_is_no_object_is_damaged(db: Database, key: InstanceKey, inside: str) -> None:
    added = add(db, key)
    added.credential = key.seal(inside, store.CONTEXT)

    with pytest.raises(Corrupt), store.opened(key, added):
        pass


def test_the_context_names_the_column_that_backups_find_in_the_schema() -> None:
    """A restore re-seals every Sealed column as table.column; that must be what is opened here."""
    assert store.CONTEXT in [f"{table}.{column}" for table, column in sealed_columns()]
