"""The folder is the truth: what is copied in, changed or taken away by hand shows in the list."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from framerr.appliance import Appliance
from framerr.backups import folder, pins
from framerr.backups.models import Backup
from framerr.core.errors import NotFound, Unavailable
from tests.backups.filled import make_backup
from tests.factories import NOW, appliance_in


def look(appliance: Appliance, *, after: timedelta = timedelta(0)) -> dict[str, Backup]:
    folder.reconcile(appliance.db, appliance.paths, now=NOW + after)
    with appliance.db.reading() as session:
        return {row.name: row for row in folder.present(session)}


def test_a_file_copied_in_appears_with_what_it_says_of_itself(filled: Appliance, tmp_path: Path) -> None:
    row = make_backup(filled, note="Before the redesign")
    with appliance_in(tmp_path / "new") as other:
        shutil.copyfile(folder.file_of(filled.paths, row), other.paths.backups / "from the old server.zip")

        (found,) = look(other).values()

    assert (found.name, found.state, found.verified_at) == ("from the old server.zip", "unverified", None)
    assert (found.type, found.serial, found.created_at) == ("manual", row.serial, NOW)
    assert (found.instance_name, found.instance_uid) == ("Studio server", row.instance_uid)
    assert found.note == "Before the redesign"
    assert found.contents["counts"]["users"] == 2


@pytest.mark.parametrize(
    ("name", "data", "state", "words"),
    [
        ("site-export.zip", b"PK\x05\x06" + b"\0" * 18, "foreign", "not a backup of Framerr"),
        ("notes.txt", b"hello", "foreign", "not a ZIP archive"),
        ("framerr-manual-2026-03-01T12-00-00Z.zip", b"PK\x03\x04 cut", "damaged", "not a ZIP archive"),
        ("framerr-manual-2026-03-01T12-00-00Z.zip", b"", "damaged", "not a ZIP archive"),
    ],
)
def test_what_is_no_backup_is_listed_as_that(filled: Appliance, name: str, data: bytes, state: str, words: str) -> None:
    (filled.paths.backups / name).write_bytes(data)

    found = look(filled)[name]

    assert (found.state, found.type) == (state, "other")
    assert words in found.problem


def test_hidden_files_parts_and_folders_are_not_listed(filled: Appliance) -> None:
    before = set(look(filled))
    (filled.paths.backups / ".framerr-manual-x.zip.part").touch()
    (filled.paths.backups / ".DS_Store").touch()
    (filled.paths.backups / "@eaDir").mkdir()
    (filled.paths.backups / "loop").symlink_to("loop")

    assert set(look(filled)) == before


def test_a_file_taken_away_disappears_and_comes_back_with_its_pin(filled: Appliance) -> None:
    """A NAS that is away for a night does not cost pins, notes and verdicts."""
    row = make_backup(filled)
    with filled.db.writing() as session:
        pins.pin(session, row.uid, "Keep this", NOW)
    path = folder.file_of(filled.paths, row)
    aside = filled.paths.root / "aside"
    path.rename(aside)

    assert row.name not in look(filled)
    with filled.db.reading() as session, pytest.raises(NotFound):
        folder.get(session, row.uid)
    aside.rename(path)
    found = look(filled)[row.name]

    assert (found.uid, found.note, found.pinned_at, found.state) == (row.uid, "Keep this", NOW, "good")


def test_a_row_without_a_file_is_forgotten_after_a_season(filled: Appliance) -> None:
    row = make_backup(filled)
    folder.file_of(filled.paths, row).unlink()
    look(filled)

    look(filled, after=timedelta(days=89))
    assert_rows(filled, 2)
    look(filled, after=timedelta(days=91))
    assert_rows(filled, 1)


def assert_rows(appliance: Appliance, count: int) -> None:
    with appliance.db.reading() as session:
        assert len(session.scalars(select(Backup)).all()) == count


def test_a_changed_file_is_not_good_any_more(filled: Appliance) -> None:
    row = make_backup(filled)
    path = folder.file_of(filled.paths, row)
    os.utime(path, ns=(1, 1))

    found = look(filled)[row.name]

    assert (found.uid, found.state, found.sha256, found.verified_at) == (row.uid, "unverified", None, None)


def test_a_folder_that_cannot_be_listed_changes_nothing(filled: Appliance) -> None:
    """T39: typed, and every row stays."""
    make_backup(filled)
    filled.paths.backups.rename(filled.paths.root / "away")

    with pytest.raises(Unavailable, match="backups"):
        look(filled)

    assert_rows(filled, 2)


def test_looking_twice_reads_nothing_twice(filled: Appliance) -> None:
    """Only new and changed files are opened: an unreadable one later does not matter."""
    row = make_backup(filled)
    path = folder.file_of(filled.paths, row)
    facts = path.stat()
    path.write_bytes(b"x" * facts.st_size)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    assert look(filled)[row.name].state == "good"


def test_a_foreign_file_is_looked_at_again_by_another_version(filled: Appliance) -> None:
    """What this version cannot use, the next one may."""
    (filled.paths.backups / "future.zip").write_bytes(b"PK\x05\x06" + b"\0" * 18)
    foreign = look(filled)["future.zip"]
    with filled.db.writing() as session:
        session.get_one(Backup, foreign.id).contents = {"judged_by": "0.0.1"}
        session.get_one(Backup, foreign.id).problem = "judged by an old version"

    assert "not a backup of Framerr" in look(filled)["future.zip"].problem


def test_backups_on_the_same_disk_are_said_to_be(filled: Appliance) -> None:
    assert folder.is_beside_data(filled.paths) is True


def test_the_newest_good_one_is_of_this_instance(filled: Appliance, tmp_path: Path) -> None:
    mine = make_backup(filled)
    with appliance_in(tmp_path / "new") as other:
        shutil.copyfile(folder.file_of(filled.paths, mine), other.paths.backups / "theirs.zip")
        look(other)
        with other.db.reading() as session:
            assert folder.newest_good(session) is None
            assert folder.highest_serial(session) == 0
    with filled.db.reading() as session:
        newest = folder.newest_good(session)
    assert newest is not None
    assert newest.uid == mine.uid
