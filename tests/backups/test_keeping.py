"""The life of listed backups: pruned, held, pinned, deleted, shown."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete as sql_delete

from framerr.appliance import Appliance
from framerr.backups import delete, folder, listing, pins, prune
from framerr.backups.models import DELETED, FAILED, HELD, PRUNED, Backup
from framerr.core.errors import InvalidInput, NotFound, Unavailable
from framerr.observability import events
from framerr.observability.models import Event
from framerr.settings import store
from tests.backups.filled import make_backup
from tests.factories import NOW, appliance_in


def made(appliance: Appliance, count: int) -> list[Backup]:
    """So many scheduled backups, a day apart, each with its prune: what the schedule does."""
    rows = []
    for number in range(count):
        moment = NOW + timedelta(days=number)
        rows.append(make_backup(appliance, type="scheduled", now=moment))
        prune.apply(appliance.db, appliance.paths, just_made=rows[-1].uid, now=moment)
    return rows


def names(appliance: Appliance) -> set[str]:
    return {path.name for path in appliance.paths.backups.iterdir() if not path.name.startswith(".")}


def test_the_oldest_above_max_go_after_each_proven_backup(filled: Appliance) -> None:
    """R-002-11: Max is 5 in the filled instance, which has one manual backup already (R-002-36)."""
    rows = made(filled, 7)

    assert names(filled) == {row.name for row in rows[-5:]}
    with filled.db.reading() as session:
        pruned = events.recent(session, kind=PRUNED)
    assert len(pruned) == 3
    assert pruned[0].text == f"The backup {rows[1].name} was deleted: oldest above Max backups."


def test_safety_copies_and_pins_come_on_top(filled: Appliance) -> None:
    """R-002-39."""
    safety = make_backup(filled, type="safety")
    pinned = make_backup(filled)
    pins.pin(filled.db, filled.paths, pinned.uid, "  Before   the launch ", NOW)

    rows = made(filled, 6)

    assert names(filled) == {safety.name, pinned.name, *(row.name for row in rows[-5:])}
    assert pins.unpin(filled.db, filled.paths, pinned.uid).note == "Before the launch"
    prune.apply(filled.db, filled.paths, now=NOW)
    assert pinned.name not in names(filled)


def test_lowering_max_is_shown_before_and_held_when_large(filled: Appliance) -> None:
    """T33: nothing goes until a person says so."""
    rows = made(filled, 5)
    with filled.db.writing() as session:
        assert prune.preview(session, maximum=1, now=NOW).goes == tuple(row.uid for row in rows[:-1])
        store.change(session, "backups.max", 1, NOW)

    held = prune.apply(filled.db, filled.paths, now=NOW)

    assert held.deleted == ()
    assert held.held is not None
    assert "Max backups was changed from 5 to 1" in held.held
    assert len(names(filled)) == 5
    with filled.db.reading() as session:
        assert events.recent(session, kind=HELD)[0].text == held.held
    done = prune.apply(filled.db, filled.paths, confirmed=True, now=NOW)
    assert done.deleted == tuple(row.name for row in rows[:-1])
    assert names(filled) == {rows[-1].name}


def test_previewing_a_max_that_is_none_is_refused(filled: Appliance) -> None:
    """T31."""
    with filled.db.reading() as session, pytest.raises(InvalidInput):
        prune.preview(session, maximum=0, now=NOW)


def test_a_file_that_cannot_be_deleted_stays_listed_and_is_named(filled: Appliance) -> None:
    rows = made(filled, 5)
    oldest = folder.file_of(filled.paths, rows[0])
    oldest.unlink()
    oldest.mkdir()

    with filled.db.writing() as session:
        store.change(session, "backups.max", 4, NOW)
    found = prune.apply(filled.db, filled.paths, now=NOW)

    assert found.deleted == ()
    assert rows[0].name in found.problems[0]


def test_a_person_deletes_any_file(filled: Appliance) -> None:
    """R-002-35."""
    row = make_backup(filled, type="safety")

    name = delete.delete_backup(filled.db, filled.paths, row.uid, deleted_by="ada", now=NOW)

    assert name == row.name
    assert name not in names(filled)
    with filled.db.reading() as session:
        assert events.recent(session, kind=DELETED)[0].text == f"The backup {name} was deleted by ada."
        with pytest.raises(NotFound):
            folder.get(session, row.uid)
    with pytest.raises(NotFound):
        delete.delete_backup(filled.db, filled.paths, row.uid, deleted_by="ada", now=NOW)


def test_a_file_that_is_gone_already_can_be_deleted(filled: Appliance) -> None:
    row = make_backup(filled)
    folder.file_of(filled.paths, row).unlink()

    delete.delete_backup(filled.db, filled.paths, row.uid, deleted_by="ada", now=NOW)

    with filled.db.reading() as session:
        assert row.uid not in {each.uid for each in folder.present(session)}


def test_a_folder_that_is_away_deletes_no_row(filled: Appliance) -> None:
    row = make_backup(filled)
    filled.paths.backups.rename(filled.paths.root / "away")
    filled.paths.backups.write_text("not a folder")

    with pytest.raises(Unavailable):
        delete.delete_backup(filled.db, filled.paths, row.uid, deleted_by="ada", now=NOW)

    with filled.db.reading() as session:
        assert folder.get(session, row.uid)


class TestListing:
    """What the page shows, from rows and events alone."""

    def test_each_file_has_a_reason_and_the_next_to_go_is_named(self, filled: Appliance) -> None:
        rows = made(filled, 5)
        safety = make_backup(filled, type="safety", now=NOW + timedelta(days=5))

        with filled.db.reading() as session:
            shown = listing.listing(session, NOW + timedelta(days=5))

        assert [item.backup.name for item in shown.items] == [safety.name, *(row.name for row in reversed(rows))]
        assert [item.backup.uid for item in shown.items if item.is_next_to_go] == [rows[0].uid]
        assert shown.items[0].reason == "Safety copy: not counted, never deleted automatically"
        assert (shown.counted, shown.maximum, shown.held) == (5, 5, None)
        assert shown.total_size == sum(row.size for row in [*rows, safety])
        assert shown.safety_size == safety.size
        assert shown.newest_good is not None
        assert shown.newest_good.uid == safety.uid
        assert all(item.is_own for item in shown.items)

    def test_the_last_days_are_told_from_events_and_files(self, filled: Appliance) -> None:
        """Days of the instance's calendar (Berlin), also those whose file was pruned since."""
        with filled.db.writing() as session:
            session.execute(sql_delete(Event))
        for number, caught_up in [(0, False), (1, True), (3, False), (5, False)]:
            row = make_backup(filled, type="scheduled", caught_up=caught_up, now=NOW + timedelta(days=number))
            prune.apply(filled.db, filled.paths, just_made=row.uid, now=NOW + timedelta(days=number))
        late = NOW.replace(hour=23, minute=30) + timedelta(days=5)
        with filled.db.writing() as session:
            events.record(session, FAILED, level="error", text="The disk is full.", now=NOW + timedelta(days=4))
            events.record(session, FAILED, level="error", text="The disk is full.", now=late)

        with filled.db.reading() as session:
            shown = listing.listing(session, late + timedelta(hours=12))

        states = {day.date: day.state for day in shown.days}
        assert len(states) == 14
        assert list(states)[-1] == date(2026, 3, 16)
        assert [states[date(2026, 3, day)] for day in range(9, 17)] == [
            "none", "good", "caught-up", "none", "good", "failed", "good", "failed",
        ]  # fmt: skip

    def test_an_archive_of_another_instance_is_said_to_be_one(self, filled: Appliance, tmp_path: Path) -> None:
        row = make_backup(filled)
        with appliance_in(tmp_path / "new") as other:
            shutil.copyfile(folder.file_of(filled.paths, row), other.paths.backups / "theirs.zip")
            folder.reconcile(other.db, other.paths, now=NOW)
            with other.db.reading() as session:
                (item,) = listing.listing(session, NOW - timedelta(days=3)).items
            with other.db.writing() as session:
                folder.get(session, item.backup.uid).state = "good"
            with other.db.reading() as session:
                days = listing.listing(session, NOW).days

        assert not item.is_own
        assert item.from_the_future
        assert {day.state for day in days} == {"none"}, "somebody else's backup is none of ours"
