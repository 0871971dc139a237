"""Restoring: everything comes back under another key, and until the marker is written nothing live was touched."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from framerr.accounts import sessions
from framerr.appliance import Appliance
from framerr.backups import folder, pins, preflight, reset, restore, swap
from framerr.backups.models import MADE, Backup
from framerr.core.crypto import InstanceKey
from framerr.core.db import Base, Database, Fate, fates, open_file
from framerr.core.errors import Conflict, Corrupt, DiskFull, FramerrError, Incompatible, InvalidInput, NotFound
from framerr.core.paths import Paths
from framerr.jobs.progress import Progress
from framerr.settings.models import InstanceLocal
from tests.backups.filled import (
    CHANGED,
    PASSWORD,
    SECRETS,
    TOKEN_AGENT,
    contains,
    files_of,
    make_backup,
    rows_of,
)
from tests.backups.test_create import Stop, StopAt, left_behind
from tests.factories import NOW, appliance_in

OTHER_KEY = "ab" * 32
LATER = NOW + timedelta(days=1)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Appliance]:
    """An empty instance with a key of its own, as a new container is."""
    with appliance_in(tmp_path / "new", SECRET_ENCRYPTION_KEY=OTHER_KEY) as appliance:
        yield appliance


def stage(target: Appliance, source: Path, **more: object) -> restore.Staged:
    return restore.stage(target.db, target.paths, target.key, source, progress=Progress(), now=LATER, **more)  # type: ignore[arg-type]


@contextmanager
def rebooted(target: Appliance, tmp_path: Path, name: str = "new", **env: str) -> Iterator[Appliance]:
    """The instance after the boot that puts in what was staged."""
    target.db.close()
    trial = swap.begin_boot(target.paths, LATER)
    assert trial is not None
    with appliance_in(tmp_path / name, now=LATER, **env) as appliance:
        swap.confirm(target.paths, LATER)
        yield appliance


def restored(source: Appliance, target: Appliance, tmp_path: Path) -> Iterator[Appliance]:
    row = make_backup(source)
    upload = target.paths.uploads / "backup.zip"
    shutil.copyfile(folder.file_of(source.paths, row), upload)
    stage(target, upload)
    with rebooted(target, tmp_path, SECRET_ENCRYPTION_KEY=OTHER_KEY) as appliance:
        yield appliance


@pytest.fixture
def second(filled: Appliance, fresh: Appliance, tmp_path: Path) -> Iterator[Appliance]:
    """The filled instance brought back in an empty container with another key."""
    yield from restored(filled, fresh, tmp_path)


def test_every_table_setting_file_and_secret_comes_back(filled: Appliance, second: Appliance) -> None:
    """T21, R-002-13 to R-002-17, R-002-25, R-002-30, R-002-32, R-002-34: enumerated from the schema, not by hand."""
    before, after = rows_of(filled), rows_of(second)
    assert all(before.values())
    assert set(before) == {table.name for table in Base.metadata.sorted_tables}
    assert before["events"].pop()["kind"] == MADE, "the event about a backup comes after its copy"

    for name, fate in fates().items():
        if fate.fate is Fate.KEEP and fate.keep_where is None:
            assert after[name] == before[name], name
    assert files_of(second.paths) == files_of(filled.paths)
    assert {row["key"]: row["value"] for row in after["settings"]} == CHANGED
    assert second.locked is None


def test_what_is_not_kept_is_empty_after_a_restore(filled: Appliance, second: Appliance) -> None:
    """R-002-18 to R-002-23 for what exists: whatever declares PURGE, and open Runs with their lines."""
    before, after = rows_of(filled), rows_of(second)

    for name, fate in fates().items():
        if fate.fate is Fate.PURGE:
            assert before[name], name
            assert after[name] == [], name
    assert [run["state"] for run in after["runs"]] == ["done"]
    assert [line["text"] for line in after["run_lines"]] == ["A line of housekeeping"]


def test_people_sign_in_with_the_restored_passwords(second: Appliance) -> None:
    """R-002-19, R-002-31."""
    token, user = sessions.sign_in(
        second.db, "ada", PASSWORD, address="127.0.0.1", user_agent="x", persistent=False, now=LATER
    )

    assert user.display_name == "Ada"
    with second.db.reading() as session:
        assert sessions.load(session, token, LATER) is not None


def test_nothing_secret_is_readable_in_the_restored_folder(second: Appliance) -> None:
    """R-002-32, finding 12: not in free pages, not in scratch files, not beside."""
    second.db.close()

    for needle in (*(secret.encode() for secret in SECRETS), TOKEN_AGENT.encode(), b"plain:{"):
        assert contains(second.paths.data, needle) == []
        assert contains(second.paths.incoming / "tmp", needle) == []
        assert contains(second.paths.staging, needle) == []


def test_restored_files_are_private(second: Appliance) -> None:
    for path in second.paths.data.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted or path.name.startswith("framerr.db-"), path


def test_this_folder_keeps_its_list_its_key_and_its_counter(filled: Appliance, second: Appliance) -> None:
    """LOCAL tables: the list of backups here survives, the archive's does not come; serials go on above both."""
    with second.db.reading() as session:
        rows = session.scalars(select(Backup)).all()
        local = session.get(InstanceLocal, 1)
    assert [row.type for row in rows] == ["safety"]
    assert local is not None
    assert local.key_fingerprint == InstanceKey.parse(OTHER_KEY).fingerprint
    made = make_backup(second, now=LATER)
    assert made.serial == 3


def test_a_safety_backup_is_made_first_also_on_a_fresh_instance(filled: Appliance, fresh: Appliance) -> None:
    """R-002-38, T18."""
    staged = stage(fresh, folder.file_of(filled.paths, make_backup(filled)))

    assert staged.way_back.safety is not None
    assert staged.way_back.safety.type == "safety"
    assert folder.file_of(fresh.paths, staged.way_back.safety).exists()
    assert swap.state(fresh.paths) == "pending"


def test_the_running_instance_is_restored_to_an_older_state_of_itself(filled: Appliance, tmp_path: Path) -> None:
    """Pins and the list survive; the state in between is in the safety backup."""
    row = make_backup(filled)
    pins.pin(filled.db, filled.paths, row.uid, "Before the redesign", NOW)
    before = {name: rows for name, rows in rows_of(filled).items() if fates()[name].fate is Fate.LOCAL}
    (filled.paths.custom_icons / "sets" / "weather" / "sun.svg").unlink()

    stage(filled, folder.file_of(filled.paths, row))

    with rebooted(filled, tmp_path, "old") as back:
        assert (back.paths.custom_icons / "sets" / "weather" / "sun.svg").exists()
        with back.db.reading() as session:
            pinned = folder.get(session, row.uid)
            assert pinned.note == "Before the redesign"
            assert pinned.pinned_at == NOW
        after = rows_of(back, Fate.LOCAL)
        assert len(after["backups"]) == len(before["backups"]) + 1
        assert after["instance_local"][0]["backup_serial"] == 3


def test_an_old_write_ahead_log_is_not_replayed_into_the_restored_database(filled: Appliance, tmp_path: Path) -> None:
    """T14: the old database was killed with commits in its log."""
    row = make_backup(filled)
    with filled.db.writing() as session:
        session.execute(Base.metadata.tables["users"].delete())
    stage(filled, folder.file_of(filled.paths, row))
    log = filled.paths.database.with_name("framerr.db-wal")
    killed = log.read_bytes()
    assert killed
    filled.db.close()
    log.write_bytes(killed)

    with rebooted(filled, tmp_path, "old") as back:
        assert len(rows_of(back)["users"]) == 2
        assert back.db.check() == []


@pytest.mark.parametrize(
    ("stage_name", "after"),
    [
        ("Copying the database", 0),
        ("Packing", 100),
        ("Unpacking", 0),
        ("Unpacking", 100_000),
        ("Upgrading the database", 0),
        ("Sealing credentials", 0),
        ("Compacting the database", 0),
        ("Finishing", 0),
    ],
)
def test_a_restore_that_stops_changes_nothing(filled: Appliance, tmp_path: Path, stage_name: str, after: int) -> None:
    """T15: at every stage, the live data is the same to the byte, and nothing readable stays behind."""
    source = tmp_path / "upload.zip"
    shutil.copyfile(folder.file_of(filled.paths, make_backup(filled)), source)
    before = (rows_of(filled, Fate.KEEP, Fate.PURGE), files_of(filled.paths))

    stop = StopAt(stage_name, after)
    with pytest.raises(Stop):
        restore.stage(filled.db, filled.paths, filled.key, source, progress=stop, now=LATER)

    assert swap.state(filled.paths) is None
    assert left_behind(filled.paths) == []
    events = before[0].pop("events")
    now = rows_of(filled, Fate.KEEP, Fate.PURGE)
    assert now.pop("events")[: len(events)] == events
    assert (now, files_of(filled.paths)) == before


def test_a_damaged_live_database_does_not_block_its_restore(filled: Appliance, tmp_path: Path) -> None:
    """T17: its raw files are set aside instead, and the person is told where."""
    source = folder.file_of(filled.paths, make_backup(filled))
    filled.db.close()
    junk = b"not a database" * 5000
    filled.paths.database.write_bytes(junk)
    broken = Database(filled.paths.database)

    staged = restore.stage(broken, filled.paths, filled.key, source, progress=Progress(), now=LATER)

    broken.close()
    aside = staged.way_back.set_aside
    assert aside is not None
    assert str(aside) in staged.warnings[-1]
    assert "No safety backup could be made" in staged.warnings[-1]
    with rebooted(filled, tmp_path, "old") as back:
        assert len(rows_of(back)["users"]) == 2
        assert (aside / "framerr.db").read_bytes() == junk
        folder.reconcile(back.db, back.paths, now=LATER)
        make_backup(back, now=LATER)
        assert aside.exists(), "set aside for good, not until the next backup"


def test_a_live_database_that_is_gone_does_not_block_either(filled: Appliance, tmp_path: Path) -> None:
    """T17, by `framerr restore`: there is nothing to open at all."""
    source = folder.file_of(filled.paths, make_backup(filled))
    filled.db.close()
    filled.paths.database.unlink()

    staged = restore.stage(None, filled.paths, filled.key, source, progress=Progress(), now=LATER)

    assert staged.way_back.set_aside is not None
    with rebooted(filled, tmp_path, "old") as back:
        assert len(rows_of(back)["users"]) == 2


def test_an_unreadable_icon_does_not_block_a_restore(filled: Appliance, tmp_path: Path) -> None:
    source = tmp_path / "upload.zip"
    shutil.copyfile(folder.file_of(filled.paths, make_backup(filled)), source)
    (filled.paths.custom_icons / "loop").symlink_to("loop")

    staged = stage(filled, source)

    assert staged.way_back.safety is None
    assert "loop is a link" in staged.way_back.sentence


def test_a_second_restore_waits_for_the_first(filled: Appliance) -> None:
    source = folder.file_of(filled.paths, make_backup(filled))
    stage(filled, source)

    with pytest.raises(Conflict, match="prepared already"):
        stage(filled, source)

    assert swap.state(filled.paths) == "pending"
    assert (filled.paths.staging / "data" / "framerr.db").exists()


def test_the_state_before_an_older_restore_goes_when_a_new_one_is_announced(filled: Appliance) -> None:
    filled.paths.data_before.mkdir()
    (filled.paths.data_before / "old").touch()

    stage(filled, folder.file_of(filled.paths, make_backup(filled, type="safety")))

    assert not filled.paths.data_before.exists()


def test_a_credential_sealed_elsewhere_opens_again_under_its_own_key(filled: Appliance, tmp_path: Path) -> None:
    """T22: made while the key was missing, restored where it is there: nothing is dead and nothing is said."""
    foreign = InstanceKey.new()
    row = make_backup(filled)
    locked = folder.file_of(filled.paths, row)
    made = restore_source_without_key(filled)
    here = stage(filled, made)
    assert here.warnings == ()
    filled.paths.restore_pending.unlink()

    there = restore.stage(filled.db, filled.paths, foreign, made, progress=Progress(), now=LATER)

    assert f"{len(SECRETS)} credentials are sealed with another key ({filled.key.fingerprint})" in there.warnings[0]
    assert locked.exists()


def restore_source_without_key(appliance: Appliance) -> Path:
    made = make_backup(Appliance(**{**vars(appliance), "key": None}))
    return folder.file_of(appliance.paths, made)


def rezipped(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with other members, packed again by the standard library."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def _newer_format(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(b'"format": 1,', b'"format": 7,')


def _newer_schema(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(
        b'"schema_revision": "0001"', b'"schema_revision": "0999"'
    )


def _changed_icon(members: dict[str, bytes]) -> None:
    members["custom-icons/sets/weather/sun.svg"] = b"<SVG/>"


def _missing_icon(members: dict[str, bytes]) -> None:
    del members["custom-icons/sets/weather/sun.svg"]


def _unlisted(members: dict[str, bytes]) -> None:
    members["custom-icons/more.png"] = b"x"


def _escaping(members: dict[str, bytes]) -> None:
    members["../../escaped"] = b"x"


def _no_manifest(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


def _no_database(members: dict[str, bytes]) -> None:
    del members["framerr.db"]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (_newer_format, Incompatible, r"format 7 .* reads up to format 1"),
        (_newer_schema, Incompatible, r"schema 0999.*knows up to 0001"),
        (_changed_icon, Corrupt, r"sun\.svg has other bytes"),
        (_missing_icon, Corrupt, r"sun\.svg is missing"),
        (_unlisted, Corrupt, r"more\.png is not in the manifest"),
        (_escaping, InvalidInput, r"escaped.*not safe"),
        (_no_manifest, Corrupt, r"no manifest"),
        (_no_database, Corrupt, r"framerr\.db is missing"),
    ],
)
def test_what_cannot_be_restored_is_refused_with_nothing_written(
    filled: Appliance, tmp_path: Path, change: Callable[[dict[str, bytes]], None], error: type[FramerrError], words: str
) -> None:
    """T19, T25: one sentence, both versions named, live data and list untouched, no safety backup made."""
    source = rezipped(folder.file_of(filled.paths, make_backup(filled)), tmp_path / "upload.zip", change)
    before = (rows_of(filled), files_of(filled.paths), sorted(filled.paths.backups.iterdir()))

    with pytest.raises(error, match=words):
        stage(filled, source)

    assert (rows_of(filled), files_of(filled.paths), sorted(filled.paths.backups.iterdir())) == before
    assert left_behind(filled.paths) == []
    assert swap.state(filled.paths) is None


def test_what_systems_add_when_packing_again_is_harmless(filled: Appliance, tmp_path: Path) -> None:
    def on_a_mac(members: dict[str, bytes]) -> None:
        members["__MACOSX/._framerr.db"] = b"x"
        members["custom-icons/.DS_Store"] = b"x"

    source = rezipped(folder.file_of(filled.paths, make_backup(filled)), tmp_path / "upload.zip", on_a_mac)

    stage(filled, source)

    assert not list(filled.paths.staging.rglob(".DS_Store"))
    assert not (filled.paths.staging / "data" / "__MACOSX").exists()


def test_an_archive_that_is_gone_is_a_sentence(filled: Appliance, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        stage(filled, tmp_path / "nothing.zip")


def test_too_little_room_is_said_before_anything_is_made(filled: Appliance, tmp_path: Path) -> None:
    """T04: with the bytes that are needed and those that are free."""
    with pytest.raises(DiskFull) as failure:
        preflight.require_room({filled.paths.staging: 10**15, filled.paths.backups: 1})

    assert failure.value.needed is not None
    assert failure.value.needed > 10**15
    assert str(filled.paths.staging) in failure.value.message


def test_a_reset_leads_to_the_wizard_and_keeps_the_backups(filled: Appliance, tmp_path: Path) -> None:
    """The list, its pins and the counter stay; users, settings and files are gone; the way back is a safety backup."""
    row = make_backup(filled)
    pins.pin(filled.db, filled.paths, row.uid, "", NOW)

    way_back = reset.stage_reset(
        filled.db, filled.paths, filled.key, requested_by="ada", progress=Progress(), now=LATER
    )

    assert way_back.safety is not None
    with rebooted(filled, tmp_path, "old") as empty:
        kept = rows_of(empty, Fate.LOCAL)
        assert [len(kept["backups"]), kept["instance_local"][0]["backup_serial"]] == [3, 3]
        assert not any(rows_of(empty, Fate.KEEP, Fate.PURGE).values())
        assert files_of(empty.paths) == {}
        with empty.db.reading() as session:
            assert folder.get(session, row.uid).pinned_at == NOW
    outcome = swap.read_outcome(empty.paths)
    assert outcome is not None
    assert (outcome.kind, outcome.result, outcome.requested_by) == ("reset", "kept", "ada")


def test_the_restored_database_is_of_this_version(filled: Appliance, fresh: Appliance) -> None:
    stage(fresh, folder.file_of(filled.paths, make_backup(filled)))

    with open_file(fresh.paths.staging / "data" / "framerr.db", read_only=True) as connection:
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar_one() == 0
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    assert os.stat(fresh.paths.staging / "data" / "framerr.db").st_mode & 0o777 == 0o600
    assert isinstance(fresh.paths, Paths)
