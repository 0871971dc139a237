"""The folder is the truth: what is copied in, changed or taken away by hand shows in the list."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from framerr.appliance import Appliance
from framerr.backups import folder, pins
from framerr.backups.models import Backup
from framerr.core.errors import NotFound, Unavailable
from framerr.core.zips import Limits
from framerr.settings.models import InstanceLocal
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


def repacked(path: Path, change: Callable[[bytes], bytes]) -> None:
    """The same archive with another manifest."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = change(members["manifest.json"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def made_at(moment: str) -> Callable[[bytes], bytes]:
    return lambda manifest: json.dumps(json.loads(manifest) | {"created_at": moment}).encode()


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "nested": lambda manifest: manifest.rstrip()[:-1] + b', "sections": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "nested beside": lambda manifest: manifest.rstrip()[:-1] + b', "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "not unicode": lambda manifest: manifest.replace(b"Studio server", b"Studio \xff server"),
    "half a surrogate": lambda manifest: manifest.replace(b"Studio server", b"\\ud800"),
    "huge count": lambda manifest: manifest.replace(b'"users": 2', b'"users": 1' + b"0" * 30),
    "endless count": lambda manifest: manifest.replace(b'"users": 2', b'"users": 1' + b"0" * 9000),
    "before time": made_at("0001-01-01T00:00:00Z"),
    "before all time": made_at("0001-01-01T00:00:00+14:00"),
    "after all time": made_at("9999-12-31T23:59:59-14:00"),
    "end of time": made_at("9999-12-31T23:59:59Z"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_manifest_of_any_kind_is_a_word_about_its_file(filled: Appliance, forged: str) -> None:
    """T17: one odd file in the folder must not keep anybody from making backups."""
    path = folder.file_of(filled.paths, make_backup(filled))
    repacked(path, FORGED[forged])
    os.utime(path, ns=(1, 1))

    found = look(filled)[path.name]

    assert (found.state, found.type, found.serial) == ("damaged", "other", 0)
    assert "manifest" in found.problem
    assert make_backup(filled).state == "good"


@pytest.mark.parametrize(
    "name", [b"caf\xe9.zip", b"two\nlines.zip", b"back\\slash.zip", b"\xed\xa0\x80", "\u202egnp.zip".encode()]
)
def test_a_file_of_any_name_is_listed_in_one_line_and_found_again(filled: Appliance, name: bytes) -> None:
    row = make_backup(filled)
    shutil.copyfile(folder.file_of(filled.paths, row), os.path.join(os.fsencode(filled.paths.backups), name))

    (found,) = [each for each in look(filled).values() if os.fsencode(folder.file_of(filled.paths, each).name) == name]

    assert found.name.isprintable()
    assert found.name.encode()
    assert (found.state, found.serial) == ("unverified", row.serial)
    assert look(filled)[found.name].uid == found.uid, "it is the same file the next time"
    assert make_backup(filled).state == "good"


@pytest.mark.parametrize("seconds", [-(10**9), 16_725_225_600, 2**34 - 1])
def test_a_file_of_any_time_is_listed(filled: Appliance, seconds: int) -> None:
    for name in ("notes.txt", "copy.zip"):
        shutil.copyfile(folder.file_of(filled.paths, make_backup(filled)), filled.paths.backups / name)
        os.utime(filled.paths.backups / name, (seconds, seconds))
    (filled.paths.backups / "notes.txt").write_text("notes")
    os.utime(filled.paths.backups / "notes.txt", (seconds, seconds))

    found = look(filled)

    assert (found["notes.txt"].state, found["copy.zip"].state) == ("foreign", "unverified")
    assert datetime(1970, 1, 1, tzinfo=UTC) <= found["notes.txt"].created_at
    assert make_backup(filled).state == "good"


def test_an_archive_above_the_limit_is_not_called_damaged(filled: Appliance) -> None:
    """The limit is of this instance; when it is raised, the file is what it always was."""
    row = make_backup(filled)
    with filled.db.writing() as session:
        session.delete(folder.get(session, row.uid))

    folder.reconcile(filled.db, filled.paths, limits=Limits.up_to(1000), now=NOW)
    with filled.db.reading() as session:
        (small,) = [each for each in folder.present(session) if each.name == row.name]
    again = look(filled)[row.name]

    assert small.state == "foreign"
    assert "would unpack" in small.problem
    assert (again.state, again.problem, again.serial) == ("unverified", "", row.serial)


@pytest.mark.parametrize("serial", [10**9 + 1, 10**12])
def test_a_number_that_nobody_reaches_does_not_end_all_counting(filled: Appliance, tmp_path: Path, serial: int) -> None:
    """A forged or damaged number in one archive, ours or not, and even in the counter itself."""
    before = make_backup(filled)
    path = folder.file_of(filled.paths, before)
    repacked(path, lambda manifest: json.dumps(json.loads(manifest) | {"serial": serial}).encode())
    os.utime(path, ns=(1, 1))

    assert look(filled)[path.name].serial == 0
    after = make_backup(filled, now=NOW + timedelta(days=1))
    with filled.db.writing() as session:
        session.get_one(InstanceLocal, 1).backup_serial = serial
    last = make_backup(filled, now=NOW + timedelta(days=2))

    assert (after.serial, last.serial) == (before.serial + 1, before.serial + 2)
    with filled.db.reading() as session:
        newest = folder.newest_good(session)
    assert newest is not None
    assert newest.uid == last.uid


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
    pins.pin(filled.db, filled.paths, row.uid, "Keep this", NOW)
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
