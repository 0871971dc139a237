"""Looking into an archive before a restore, and taking an upload into the list."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from framerr.appliance import Appliance
from framerr.backups import adopt, folder, inspect
from framerr.backups.contributions import STANDARD, Contribution, Source
from framerr.backups.models import ADDED, Backup
from framerr.core.errors import Conflict, Corrupt, InvalidInput, LimitExceeded
from framerr.core.zips import Limits
from framerr.jobs.progress import Progress
from framerr.observability import events
from tests.backups.filled import SECRETS, make_backup
from tests.backups.test_create import left_behind
from tests.backups.test_restore import rezipped, stage
from tests.factories import NOW, appliance_in, set_up


def look(appliance: Appliance, path: Path, **more: object) -> inspect.Inspection:
    return inspect.inspect_archive(path, appliance.paths, Progress(), **more)  # type: ignore[arg-type]


def test_the_page_is_told_what_is_inside(filled: Appliance) -> None:
    row = make_backup(filled)

    found = look(filled, folder.file_of(filled.paths, row))

    assert (found.name, found.size, found.manifest.type) == (row.name, row.size, "manual")
    assert found.manifest.instance.name == "Studio server"
    assert found.files_matched == len(found.manifest.files)
    assert found.unpacked_size == sum(proof.size for proof in found.manifest.files.values())
    assert not found.needs_upgrade
    lines = {line.name: line.count for line in found.comes_back}
    assert (lines["Users"], lines["Settings"], lines["Integrations"]) == (2, 5, len(SECRETS))
    assert (lines["Profile pictures"], lines["Custom icons"], lines["Favicon"]) == (1, 4, 1)
    assert len(lines) == len(found.comes_back)
    empty = {line.name: (line.count, line.words) for line in found.starts_empty}
    assert empty["Sessions"] == (1, "everybody signs in again")
    assert empty["Failed sign-ins"][0] == 1
    assert found.warnings == ()
    assert left_behind(filled.paths) == []


def test_parts_that_hold_nothing_are_said(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as fresh:
        set_up(fresh)
        found = look(fresh, folder.file_of(fresh.paths, make_backup(fresh, type="safety")))

    assert [(line.name, line.words) for line in found.not_included] == [
        ("Profile pictures", "there are none"),
        ("Custom icons", "there are none"),
        ("Favicon", "there are none"),
    ]


def test_members_of_an_unknown_part_are_a_warning(filled: Appliance) -> None:
    """An archive of a version with more parts: they stay in the archive, and that is said."""
    notes = Contribution(
        "notes", "Notes", "", lambda _paths, scratch: [Source("notes/a", _written(scratch / "a"))], lambda _sources: {}
    )
    path = folder.file_of(filled.paths, make_backup(filled, contributions=(*STANDARD, notes)))

    assert "1 file belongs to a part that this version does not know" in look(filled, path).warnings[0]
    assert look(filled, path, contributions=(*STANDARD, notes)).warnings == ()


def _written(path: Path) -> Path:
    path.write_text("note")
    return path


def test_an_archive_is_compared_with_what_is_here(filled: Appliance, tmp_path: Path) -> None:
    old = look(filled, folder.file_of(filled.paths, make_backup(filled)))
    newer = make_backup(filled, now=NOW + timedelta(days=3))

    with filled.db.reading() as session:
        here = inspect.against(session, old.manifest)
        itself = inspect.against(session, look(filled, folder.file_of(filled.paths, newer)).manifest)
    with appliance_in(tmp_path / "new") as other, other.db.reading() as session:
        there = inspect.against(session, old.manifest)

    assert here == inspect.Against(is_own=True, newer_here=NOW + timedelta(days=3))
    assert itself == inspect.Against(is_own=True, newer_here=None)
    assert there == inspect.Against(is_own=False, newer_here=None)


def test_a_database_that_is_none_is_refused_though_its_hash_is_right(filled: Appliance, tmp_path: Path) -> None:
    """A manifest can be forged; the database must open as well."""

    def forged(members: dict[str, bytes]) -> None:
        members["framerr.db"] = b"SQLite format 3\0" + b"\xff" * 8000
        manifest = json.loads(members["manifest.json"])
        digest = hashlib.sha256(members["framerr.db"]).hexdigest()
        manifest["files"]["framerr.db"] = {"size": len(members["framerr.db"]), "sha256": digest}
        members["manifest.json"] = json.dumps(manifest).encode()

    path = rezipped(folder.file_of(filled.paths, make_backup(filled)), tmp_path / "x.zip", forged)

    with pytest.raises(Corrupt, match="database in this backup cannot be opened"):
        look(filled, path)
    with pytest.raises(Corrupt, match="database in this backup cannot be opened"):
        stage(filled, path)

    assert left_behind(filled.paths) == []


def test_an_archive_above_the_limit_is_refused(filled: Appliance) -> None:
    path = folder.file_of(filled.paths, make_backup(filled))
    renamed = path.rename(path.with_name("x.zip"))

    with pytest.raises((LimitExceeded, InvalidInput), match="would unpack"):
        look(filled, renamed, limits=Limits.up_to(1000))


def test_an_upload_is_proven_and_listed(filled: Appliance, tmp_path: Path) -> None:
    row = make_backup(filled)
    with appliance_in(tmp_path / "new") as other:
        upload = other.paths.uploads / "Qx7"
        shutil.copyfile(folder.file_of(filled.paths, row), upload)

        added = adopt.adopt(other.db, other.paths, upload, progress=Progress(), now=NOW)

        assert not upload.exists()
        assert (added.name, added.state, added.sha256, added.verified_at) == (row.name, "good", row.sha256, NOW)
        assert folder.file_of(other.paths, added).read_bytes() == folder.file_of(filled.paths, row).read_bytes()
        assert left_behind(other.paths) == []
        with other.db.reading() as session:
            assert events.recent(session, kind=ADDED)[0].subject == added.uid
        folder.reconcile(other.db, other.paths, now=NOW)
        with other.db.reading() as session:
            assert folder.get(session, added.uid).state == "good"


def test_the_same_upload_twice_is_a_conflict(filled: Appliance) -> None:
    row = make_backup(filled)
    upload = filled.paths.uploads / "Qx7"
    shutil.copyfile(folder.file_of(filled.paths, row), upload)

    with pytest.raises(Conflict, match=f"in the list already, as {row.name}"):
        adopt.adopt(filled.db, filled.paths, upload, progress=Progress(), now=NOW)

    assert upload.exists()


def test_an_upload_that_cannot_be_listed_leaves_no_file_in_the_folder(filled: Appliance) -> None:
    """Published and then not listed: the upload is still there and can be tried again."""
    row = make_backup(filled)
    upload = filled.paths.uploads / "Qx7"
    folder.file_of(filled.paths, row).rename(upload)
    folder.reconcile(filled.db, filled.paths, now=NOW)
    with filled.db.writing() as session:
        session.delete(session.get_one(Backup, row.id))
        session.connection().exec_driver_sql(
            "CREATE TRIGGER no BEFORE INSERT ON backups BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    before = set(filled.paths.backups.iterdir())

    with pytest.raises(IntegrityError):
        adopt.adopt(filled.db, filled.paths, upload, progress=Progress(), now=NOW)

    assert set(filled.paths.backups.iterdir()) == before
    assert upload.exists()


def test_an_upload_that_is_no_backup_stays_where_it_is(filled: Appliance) -> None:
    upload = filled.paths.uploads / "Qx7"
    upload.write_bytes(b"hello")

    with pytest.raises(InvalidInput, match="not a ZIP archive"):
        adopt.adopt(filled.db, filled.paths, upload, progress=Progress(), now=NOW)

    assert upload.exists()
    assert left_behind(filled.paths) == []
