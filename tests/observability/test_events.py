"""Events and audit entries ride the transaction of what they tell about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from framerr.core.db import Database
from framerr.observability import audit, events

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_an_event_is_told_newest_first(db: Database) -> None:
    with db.writing() as session:
        events.record(session, "backup.made", text="Made.", subject="a.zip", data={"size": 7}, now=NOW)
        events.record(session, "backup.failed", level="error", text="No room.", now=NOW + timedelta(hours=1))
        events.record(session, "backups-moved", text="Moved.", now=NOW)

    with db.reading() as session:
        told = [(event.kind, event.level, event.subject, event.text, event.data) for event in events.recent(session)]
        assert told == [
            ("backup.failed", "error", "", "No room.", {}),
            ("backups-moved", "info", "", "Moved.", {}),
            ("backup.made", "info", "a.zip", "Made.", {"size": 7}),
        ]
        assert [event.kind for event in events.recent(session, kind="backup")] == ["backup.failed", "backup.made"]
        assert [event.kind for event in events.recent(session, kind="backup.made")] == ["backup.made"]
        assert len(events.recent(session, limit=1)) == 1
        assert len({event.uid for event in events.recent(session)}) == 3


def test_an_event_of_what_did_not_happen_is_not_kept(db: Database) -> None:
    with db.writing() as session:
        events.record(session, "backup.made", text="Made.", now=NOW)
        session.rollback()

    with db.reading() as session:
        assert events.recent(session) == []


def test_a_level_must_be_one_of_three(db: Database) -> None:
    with pytest.raises(IntegrityError, match="ck_events_level"), db.writing() as session:
        events.record(session, "x", level="fatal", text="", now=NOW)  # type: ignore[arg-type]


def test_the_audit_log_says_who_did_what_to_what_and_from_where(db: Database) -> None:
    with db.writing() as session:
        audit.record(session, "alice", "backup.deleted", "a.zip", "192.0.2.10", "3.2 MB", NOW)
        audit.record(session, "x" * 200, "y", "z" * 300, "a" * 100, "", NOW + timedelta(seconds=1))

    with db.reading() as session:
        long, entry = audit.recent(session)
        assert (entry.actor, entry.action, entry.subject) == ("alice", "backup.deleted", "a.zip")
        assert (entry.address, entry.detail, entry.at) == ("192.0.2.10", "3.2 MB", NOW)
        assert (len(long.actor), len(long.subject), len(long.address)) == (100, 200, 64)
