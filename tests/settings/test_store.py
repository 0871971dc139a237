"""Settings: rows only for what was changed, defaults for what cannot be believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy import text as sql

from framerr.core.db import Database, as_text
from framerr.core.errors import InvalidInput
from framerr.settings import store
from framerr.settings.models import Setting

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def rows(db: Database) -> dict[str, object]:
    with db.reading() as session:
        return {row.key: row.value for row in session.scalars(select(Setting))}


def values(db: Database) -> store.Values:
    with db.reading() as session:
        return store.read(session)


def change(db: Database, key: str, value: object) -> store.Value:
    with db.writing() as session:
        return store.change(session, key, value, NOW)


def test_a_fresh_instance_has_defaults_and_no_rows(db: Database) -> None:
    assert values(db) == store.Values("Framerr", "UTC", 7, "system", "ink", "12")
    assert rows(db) == {}


def test_a_changed_value_is_typed_and_kept(db: Database) -> None:
    assert change(db, "backups.max", "12") == 12
    change(db, "instance.time_zone", "Europe/Berlin")

    found = values(db)
    assert (found.max_backups, found.time_zone) == (12, "Europe/Berlin")
    assert (found["backups.max"], found["instance.name"]) == (12, "Framerr")
    assert rows(db) == {"backups.max": 12, "instance.time_zone": "Europe/Berlin"}


def test_going_back_to_the_default_leaves_no_row(db: Database) -> None:
    change(db, "appearance.theme", "dark")
    change(db, "appearance.theme", "light")

    change(db, "appearance.theme", "system")

    assert rows(db) == {}


def test_saving_the_same_value_again_is_no_change(db: Database) -> None:
    change(db, "backups.max", 12)
    with db.writing() as session:
        store.change(session, "backups.max", "12", NOW + timedelta(days=1))

    with db.reading() as session:
        assert session.scalars(select(Setting)).one().changed_at == NOW


@pytest.mark.parametrize("value", [0, "0", -1, "", None, "all", 31])
def test_a_refused_value_changes_nothing(db: Database, value: object) -> None:
    """T31."""
    change(db, "backups.max", 12)

    with pytest.raises(InvalidInput) as refused:
        change(db, "backups.max", value)

    assert refused.value.field == "backups.max"
    assert values(db).max_backups == 12


@pytest.mark.parametrize("stored", [0, -3, "", None, "all", 31, True, [7], {"max": 7}, 1.5], ids=repr)
def test_a_stored_value_that_is_not_valid_falls_back_and_is_reported(db: Database, stored: object) -> None:
    """A forged or foreign row, as a restored archive may bring it, never means "delete all" (T31)."""
    text = json.dumps(stored)
    with db.writing() as session:
        session.execute(
            sql("INSERT INTO settings VALUES ('backups.max', :value, :at)"), {"value": text, "at": as_text(NOW)}
        )

    found = values(db)

    assert found.max_backups == 7
    assert found.problems == (
        "The stored setting backups.max is not valid, so 7 is used. Max backups must be a whole number from 1 to 30.",
    )


def test_settings_of_another_version_are_kept_and_ignored(db: Database) -> None:
    with db.writing() as session:
        session.add(Setting(key="future.colour", value={"hue": 7}, changed_at=NOW))

    change(db, "backups.max", 12)

    assert values(db).problems == ()
    assert rows(db) == {"backups.max": 12, "future.colour": {"hue": 7}}


def test_an_undeclared_key_is_not_stored(db: Database) -> None:
    with pytest.raises(InvalidInput):
        change(db, "nonsense", "1")
    with pytest.raises(InvalidInput):
        values(db)["nonsense"]

    assert rows(db) == {}
