"""The instance's identity travels with a backup; what describes the folder does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from framerr.core.db import Database, Fate, fates
from framerr.settings import instance
from framerr.settings.models import Instance, InstanceLocal

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_an_instance_is_made_once(db: Database) -> None:
    with db.writing() as session:
        first = instance.ensure(session, NOW)
    with db.writing() as session:
        again = instance.ensure(session, NOW + timedelta(days=1))

    assert (again.uid, again.created_at) == (first.uid, NOW)
    assert len(first.uid) >= 16


def test_identity_is_kept_in_a_backup_and_the_folders_facts_are_not() -> None:
    assert fates()["instance"].fate is Fate.KEEP
    assert fates()["instance_local"].fate is Fate.LOCAL


def test_backup_numbers_only_go_up(db: Database) -> None:
    with db.writing() as session:
        assert [instance.next_backup_serial(session) for _ in range(3)] == [1, 2, 3]
    with db.writing() as session:
        assert instance.next_backup_serial(session, above=40) == 41
    with db.writing() as session:
        assert instance.next_backup_serial(session, above=7) == 42


def test_numbers_that_nobody_reaches_do_not_count(db: Database) -> None:
    with db.writing() as session:
        assert instance.next_backup_serial(session, above=10**12) == 1
        instance.local(session).backup_serial = 2**40
        assert instance.next_backup_serial(session, above=4) == 5


def test_a_number_of_a_transaction_that_failed_is_given_again(db: Database) -> None:
    with db.writing() as session:
        instance.next_backup_serial(session)
        session.rollback()

    with db.writing() as session:
        assert instance.next_backup_serial(session) == 1


def test_the_fingerprint_of_the_key_is_remembered(db: Database) -> None:
    with db.writing() as session:
        instance.local(session).key_fingerprint = "0123456789ab"

    with db.reading() as session:
        row = session.get(InstanceLocal, 1)
        assert row is not None
        assert (row.key_fingerprint, row.backup_serial) == ("0123456789ab", 0)


def test_there_is_one_row_of_each(db: Database) -> None:
    with pytest.raises(IntegrityError, match="one_row"), db.writing() as session:
        session.add(Instance(id=2, created_at=NOW))
    with pytest.raises(IntegrityError, match="one_row"), db.writing() as session:
        session.add(InstanceLocal(id=2))
