"""A pin lies beside its archive: it survives the database, the container and time."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from framerr.appliance import Appliance
from framerr.backups import delete, folder, pinfiles, pins, prune, restore, shelf
from framerr.backups.models import Backup, PruneMark
from framerr.backups.pinfiles import Pin
from framerr.core.errors import Unavailable
from framerr.jobs.progress import Progress
from framerr.settings import store
from tests.backups.filled import make_backup
from tests.backups.test_folder import look
from tests.backups.test_keeping import made, names
from tests.backups.test_restore import LATER, rebooted
from tests.factories import NOW, appliance_in


def pinned(appliance: Appliance, note: str = "Before the launch") -> Backup:
    return pins.pin(appliance.db, appliance.paths, make_backup(appliance).uid, note, NOW)


def file_of(appliance: Appliance, row: Backup) -> Path:
    return folder.file_of(appliance.paths, row)


def test_a_pin_is_a_private_file_beside_the_archive_and_goes_with_it(filled: Appliance) -> None:
    row = pinned(filled)
    path = file_of(filled, row)
    beside = path.with_name(f".{path.name}.pin")

    assert json.loads(beside.read_bytes()) == {"note": "Before the launch", "pinned_at": "2026-03-10T12:00:00Z"}
    assert beside.stat().st_mode & 0o777 == 0o600
    pins.unpin(filled.db, filled.paths, row.uid)
    assert not beside.exists()
    assert look(filled)[row.name].pinned_at is None
    pins.pin(filled.db, filled.paths, row.uid, "", NOW)
    assert pinfiles.read(path) == Pin("Before the launch", NOW)
    delete.delete_backup(filled.db, filled.paths, row.uid, deleted_by="ada", now=NOW)
    assert not beside.exists()


def test_another_container_on_the_same_folder_knows_the_pin(filled: Appliance, tmp_path: Path) -> None:
    row = pinned(filled)
    with appliance_in(tmp_path / "new") as other:
        shutil.copytree(filled.paths.backups, other.paths.backups, dirs_exist_ok=True)

        found = look(other)[row.name]

    assert (found.pinned_at, found.note) == (NOW, "Before the launch")


def test_a_list_that_was_lost_does_not_cost_the_pin(filled: Appliance) -> None:
    row = pinned(filled)
    with filled.db.writing() as session:
        session.execute(sql_delete(Backup))
        session.execute(sql_delete(PruneMark))
        store.change(session, "backups.max", 1, NOW)

    rows = [make_backup(filled, now=NOW + timedelta(days=day)) for day in range(1, 4)]
    with filled.db.reading() as session:
        held = prune.preview(session, now=NOW).held
    prune.apply(filled.db, filled.paths, confirmed=True, now=NOW)

    assert held is not None
    assert names(filled) == {row.name, rows[-1].name}


def test_a_restore_of_a_damaged_database_keeps_the_pins(filled: Appliance, tmp_path: Path) -> None:
    row = pinned(filled)
    with filled.db.writing() as session:
        session.connection().exec_driver_sql("UPDATE backups SET contents = '{'")
    restore.stage(filled.db, filled.paths, filled.key, file_of(filled, row), progress=Progress(), now=LATER)

    with rebooted(filled, tmp_path, "old") as back:
        assert look(back)[row.name].pinned_at == NOW


def test_a_pinned_row_is_never_forgotten(filled: Appliance) -> None:
    """Its file may lie on a disk that is in a cupboard, whose pin does not come along with every copy."""
    row = pinned(filled)
    path = file_of(filled, row)
    path.rename(filled.paths.root / "aside")
    path.with_name(f".{path.name}.pin").unlink()
    look(filled)

    look(filled, after=timedelta(days=400))
    (filled.paths.root / "aside").rename(path)

    assert look(filled, after=timedelta(days=401))[row.name].pinned_at == NOW


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"", ""),
        (b"\xff\xfe", ""),
        (b"[" * 4096, ""),
        (b"[]", ""),
        (b'{"note": "two\\nlines", "pinned_at": "0001-01-01T00:00:00+14:00"}', ""),
        (b'{"note": "Kept", "pinned_at": "2026-03-10T12:00:00"}', "Kept"),
        (b'{"note": "Kept", "more": 1}', "Kept"),
    ],
)
def test_a_pin_that_cannot_be_read_is_a_pin(filled: Appliance, data: bytes, note: str) -> None:
    row = make_backup(filled)
    path = file_of(filled, row)
    path.with_name(f".{path.name}.pin").write_bytes(data)

    found = look(filled)[row.name]

    assert (found.pinned_at, found.note) == (NOW, note)


def test_a_link_is_not_followed(filled: Appliance) -> None:
    path = file_of(filled, make_backup(filled))
    path.with_name(f".{path.name}.pin").symlink_to("/etc/passwd")

    assert pinfiles.read(path) == Pin()


def test_what_was_pinned_after_the_plan_was_made_stays(filled: Appliance) -> None:
    rows = made(filled, 5)
    path = file_of(filled, rows[0])
    pinfiles.write(path, Pin("In the last moment", NOW))

    make_backup(filled, now=NOW + timedelta(days=6))
    with filled.db.writing() as session:
        session.scalars(select(Backup).where(Backup.uid == rows[0].uid)).one().pinned_at = None
    prune.apply(filled.db, filled.paths, now=NOW + timedelta(days=6))

    assert path.exists()


def test_a_pin_that_cannot_be_written_is_none(filled: Appliance) -> None:
    row = make_backup(filled)
    filled.paths.backups.rename(filled.paths.root / "away")

    with pytest.raises(Unavailable):
        pins.pin(filled.db, filled.paths, row.uid, "", NOW)

    with filled.db.reading() as session:
        assert folder.get(session, row.uid).pinned_at is None


def test_half_a_pin_of_a_killed_process_is_swept(filled: Appliance) -> None:
    path = file_of(filled, make_backup(filled))
    half = path.with_name(f"..{path.name}.pin.0a1b2c3d.part")
    half.touch()

    shelf.sweep(filled.paths.backups)

    assert not half.exists()
    assert path.exists()
