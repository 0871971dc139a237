"""Making a backup: what is in it, what is not, and that nothing counts before it was read back."""

from __future__ import annotations

import json
import os
import stat
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from framerr.appliance import Appliance
from framerr.backups import create, folder, swap, verify
from framerr.backups.archive import NAME
from framerr.backups.contributions import STANDARD, Contribution, Source
from framerr.backups.models import MADE, Backup
from framerr.core.crypto import InstanceKey, is_plain
from framerr.core.db import Fate, fates, open_file, sealed_columns
from framerr.core.errors import Cancelled, Conflict, Unavailable
from framerr.core.paths import Paths
from framerr.integrations import store as integrations
from framerr.jobs.progress import Progress
from framerr.observability import events
from tests.backups.filled import SECRETS, TOKEN_AGENT, files_of, make_backup, rows_of
from tests.factories import NOW, appliance_in


def unpacked(appliance: Appliance, row: Backup, tmp_path: Path) -> Path:
    target = tmp_path / "unpacked"
    with zipfile.ZipFile(folder.file_of(appliance.paths, row)) as archive:
        assert archive.testzip() is None
        archive.extractall(target)
    return target


def left_behind(paths: Paths) -> list[str]:
    """What a run may not leave: scratch files, parts, staged states."""
    return [path.name for top in (paths.tmp, paths.staging) for path in top.iterdir()] + [
        path.name for path in paths.backups.iterdir() if path.name.startswith(".")
    ]


def test_a_backup_holds_the_database_every_file_and_a_manifest(filled: Appliance, tmp_path: Path) -> None:
    """R-002-1, R-002-4, R-002-13 to R-002-17: read with the standard library, not with our own reader."""
    row = make_backup(filled, note="Before the redesign")

    out = unpacked(filled, row, tmp_path)

    assert NAME.fullmatch(row.name)
    assert row.name == "framerr-manual-2026-03-10T12-00-00Z.zip"
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["format"] == 1
    assert manifest["type"] == "manual"
    assert manifest["created_at"].startswith("2026-03-10T12:00:00")
    assert manifest["instance"]["name"] == "Studio server"
    assert manifest["serial"] == row.serial == 2
    assert manifest["note"] == "Before the redesign"
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert set(found) == set(manifest["files"]) | {"manifest.json"}
    assert {name: data for name, data in found.items() if name not in {"manifest.json", "framerr.db"}} == files_of(
        filled.paths
    )
    assert {part["section"] for part in manifest["included"]} == {
        "database", "profile-pictures", "custom-icons", "favicon",
    }  # fmt: skip


def test_the_manifest_is_the_last_member(filled: Appliance) -> None:
    """T01: what is cut off anywhere has no manifest."""
    with zipfile.ZipFile(folder.file_of(filled.paths, make_backup(filled))) as archive:
        assert archive.namelist()[-1] == "manifest.json"


def test_only_what_is_kept_is_in_the_archive(filled: Appliance, tmp_path: Path) -> None:
    """R-002-19, R-002-24: every table of the schema has its declared fate, and its rows are counted."""
    before = rows_of(filled)
    assert all(before.values()), "the filled instance must have a row in every table of the schema"

    out = unpacked(filled, make_backup(filled), tmp_path)

    manifest = json.loads((out / "manifest.json").read_bytes())
    with open_file(out / "framerr.db", read_only=True) as connection:
        rows = {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in fates()}
    for name, fate in fates().items():
        if fate.fate is Fate.KEEP and fate.keep_where is None:
            assert rows[name] == manifest["counts"][name] > 0, name
        elif fate.fate is Fate.KEEP:
            assert rows[name] == manifest["counts"][name] == len(before[name]) - 1, name
        else:
            assert rows[name] == 0, name
    purged = {each["table"]: each["rows"] for each in manifest["purged_on_restore"]}
    assert purged == {
        name: 1 if fate.keep_where else len(before[name])
        for name, fate in fates().items()
        if fate.fate is Fate.PURGE or fate.keep_where
    }


def test_credentials_are_readable_and_sessions_are_not_there(filled: Appliance, tmp_path: Path) -> None:
    """R-002-25, T24: also not in free pages, so the bytes of the database are searched."""
    out = unpacked(filled, make_backup(filled), tmp_path)

    data = (out / "framerr.db").read_bytes()
    assert all(secret.encode() in data for secret in SECRETS)
    assert TOKEN_AGENT.encode() not in data
    assert b"sealed:1:" not in data
    assert sealed_columns() == [("integrations", "credential")]
    with open_file(out / "framerr.db", read_only=True) as connection:
        assert all(is_plain(text) for (text,) in connection.exec_driver_sql("SELECT credential FROM integrations"))


def test_a_listed_backup_is_proven_private_and_an_event(filled: Appliance) -> None:
    row = make_backup(filled, type="scheduled", caught_up=True)

    path = folder.file_of(filled.paths, row)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (row.state, row.verified_at, row.size) == ("good", NOW, path.stat().st_size)
    assert row.contents["caught_up"] is True
    assert left_behind(filled.paths) == []
    with filled.db.reading() as session:
        event = events.recent(session, kind=MADE)[0]
    assert event.subject == row.uid
    assert event.data["caught_up"] is True


def test_two_backups_in_one_second_have_two_names_and_numbers(filled: Appliance) -> None:
    """R-002-1: nothing is overwritten."""
    rows = [make_backup(filled) for _ in range(3)]

    assert [row.name for row in rows] == [
        "framerr-manual-2026-03-10T12-00-00Z.zip",
        "framerr-manual-2026-03-10T12-00-00Z-2.zip",
        "framerr-manual-2026-03-10T12-00-00Z-3.zip",
    ]
    assert [row.serial for row in rows] == [2, 3, 4]


def test_backups_made_at_the_same_time_do_not_meet(filled: Appliance) -> None:
    rows: list[Backup] = []
    threads = [threading.Thread(target=lambda: rows.append(make_backup(filled))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({row.name for row in rows}) == len({row.serial for row in rows}) == 4
    assert all((filled.paths.backups / row.name).exists() for row in rows)


def test_a_name_that_appears_while_the_archive_grows_is_not_overwritten(filled: Appliance) -> None:
    taken = filled.paths.backups / "framerr-manual-2026-03-10T12-00-00Z.zip"

    class Copying(Progress):
        def stage(self, name: str, *_size: object) -> None:
            if name == "Packing":
                taken.write_bytes(b"somebody's file")

    row = create.create_backup(filled.db, filled.paths, filled.key, type="manual", progress=Copying(), now=NOW)

    assert row.name == "framerr-manual-2026-03-10T12-00-00Z-2.zip"
    assert taken.read_bytes() == b"somebody's file"


def test_serials_never_go_back(filled: Appliance) -> None:
    """The counter outlives deleted files, and numbers seen in the folder count too."""
    first = make_backup(filled)
    folder.file_of(filled.paths, first).unlink()

    second = make_backup(filled, now=NOW + timedelta(seconds=1))

    assert second.serial == first.serial + 1


def test_commits_in_the_write_ahead_log_are_in_the_backup(filled: Appliance, tmp_path: Path) -> None:
    """T13: also while another reader holds the log open."""
    with filled.db.reading() as reader:
        assert reader.scalar(select(Backup.id)) is not None
        with filled.db.writing() as session:
            integrations.add(session, filled.key, kind="x", name="Just now", config={}, credential={}, now=NOW)

        out = unpacked(filled, make_backup(filled), tmp_path)

    with open_file(out / "framerr.db", read_only=True) as connection:
        names = connection.exec_driver_sql("SELECT name FROM integrations").scalars().all()
    assert "Just now" in names


class Stop(Exception):
    """Raised by a test at the point where something goes wrong."""


class StopAt(Progress):
    """Fails when a stage begins, or after so many bytes of it."""

    def __init__(self, stage: str, after: int = 0, error: Exception | None = None) -> None:
        self.wanted, self.after, self.error = stage, after, error or Stop()
        self.current, self.done = "", 0

    def stage(self, name: str, *_size: object) -> None:
        self.current, self.done = name, 0
        self._fail()

    def advance(self, n: int = 1) -> None:
        self.done += n
        self._fail()

    def _fail(self) -> None:
        if self.current == self.wanted and self.done >= self.after:
            raise self.error


@pytest.mark.parametrize(
    ("stage", "after"),
    [
        ("Copying the database", 0),
        ("Making credentials portable", 0),
        ("Packing", 0),
        ("Packing", 1),
        ("Packing", 150_000),
        ("Verifying", 0),
        ("Verifying", 150_000),
        ("Putting it into the list", 0),
    ],
)
def test_a_run_that_stops_leaves_nothing(filled: Appliance, stage: str, after: int) -> None:
    """T01, T02: between members and inside one. The next run succeeds without a restart."""
    before = sorted(path.name for path in filled.paths.backups.iterdir())

    with pytest.raises(Stop):
        create.create_backup(filled.db, filled.paths, filled.key, type="manual", progress=StopAt(stage, after), now=NOW)

    assert sorted(path.name for path in filled.paths.backups.iterdir()) == before
    assert left_behind(filled.paths) == []
    assert make_backup(filled).state == "good"


def test_a_cancelled_run_leaves_nothing(filled: Appliance) -> None:
    stop = StopAt("Packing", 1, Cancelled("Cancelled."))

    with pytest.raises(Cancelled):
        create.create_backup(filled.db, filled.paths, filled.key, type="manual", progress=stop, now=NOW)

    assert left_behind(filled.paths) == []
    assert len(list(filled.paths.backups.iterdir())) == 1


def test_an_unreadable_icon_is_a_sentence(filled: Appliance) -> None:
    """R-002-15: nothing is missing in silence. The file, the user and the fix are named."""
    icon = next(path for path in filled.paths.custom_icons.iterdir() if path.is_file())
    icon.chmod(0)

    with as_nobody(filled.paths.root), pytest.raises(Unavailable) as failure:
        make_backup(filled)

    assert str(icon) in failure.value.message
    assert "65534" in failure.value.message
    assert "chown" in failure.value.message
    assert len(list(filled.paths.backups.iterdir())) == 1


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo], ids=["link", "pipe"])
def test_what_is_no_file_is_refused_by_name(filled: Appliance, make: Callable[[Path], None]) -> None:
    strange = filled.paths.custom_icons / "strange.png"
    make(strange)

    with pytest.raises(Unavailable, match=r"strange\.png is a link or a special file"):
        make_backup(filled)


def test_a_folder_that_vanished_stops_the_run(filled: Appliance) -> None:
    """T40: an unmounted source is not an empty one."""
    filled.paths.favicon.rename(filled.paths.root / "elsewhere")

    with pytest.raises(Unavailable, match="favicon"):
        make_backup(filled)


def test_an_instance_without_users_has_nothing_to_back_up(tmp_path: Path) -> None:
    """T40. Its safety copy before a restore is made all the same (R-002-38)."""
    with appliance_in(tmp_path) as fresh:
        with pytest.raises(Conflict, match="no users"):
            make_backup(fresh)

        assert make_backup(fresh, type="safety").state == "good"


def test_a_file_removed_while_the_database_is_copied_makes_it_copy_again(filled: Appliance, tmp_path: Path) -> None:
    """The copy never names a file that the archive has not."""
    doomed = filled.paths.custom_icons / "sets" / "weather" / "sun.svg"
    copies: list[str] = []

    class Removing(Progress):
        def stage(self, name: str, *_size: object) -> None:
            if name == "Copying the database":
                copies.append(name)
                doomed.unlink(missing_ok=True)

    row = create.create_backup(filled.db, filled.paths, filled.key, type="manual", progress=Removing(), now=NOW)

    assert len(copies) == 2
    assert not (unpacked(filled, row, tmp_path) / "custom-icons/sets/weather/sun.svg").exists()


@pytest.mark.parametrize("name", ["profile-pictures", "custom-icons"])
def test_a_file_removed_before_it_is_packed_makes_it_begin_again(filled: Appliance, tmp_path: Path, name: str) -> None:
    doomed = min(path for path in (filled.paths.data / name).rglob("*") if path.is_file())

    class Removing(Progress):
        def stage(self, name: str, *_size: object) -> None:
            if name == "Packing":
                doomed.unlink(missing_ok=True)

    row = create.create_backup(filled.db, filled.paths, filled.key, type="manual", progress=Removing(), now=NOW)

    assert verify.verify_archive(folder.file_of(filled.paths, row), Progress()).state == "good"
    assert not (unpacked(filled, row, tmp_path) / doomed.relative_to(filled.paths.data)).exists()


def test_leftovers_of_a_cut_off_write_are_no_icons(filled: Appliance, tmp_path: Path) -> None:
    (filled.paths.custom_icons / ".icon.png.0a1b2c3d.part").write_bytes(b"half")

    out = unpacked(filled, make_backup(filled), tmp_path)

    assert not list(out.rglob("*.part"))


def test_credentials_of_another_key_stay_sealed_and_are_said(filled: Appliance, tmp_path: Path) -> None:
    """T22: a wrong key does not stop backups (the peer's stopped for good), and nothing is silently dead."""
    notes: list[str] = []

    class Listening(Progress):
        def note(self, text: str, *_level: object) -> None:
            notes.append(text)

    row = create.create_backup(filled.db, filled.paths, InstanceKey.new(), type="manual", progress=Listening(), now=NOW)

    manifest = json.loads((unpacked(filled, row, tmp_path) / "manifest.json").read_bytes())
    assert manifest["sealed_elsewhere"] == [
        {"table": "integrations", "column": "credential", "fingerprint": filled.key.fingerprint, "rows": len(SECRETS)}
    ]
    assert any(f"{len(SECRETS)} credentials are sealed with another key" in note for note in notes)


def test_a_room_adds_members_and_a_section_of_its_own(filled: Appliance, tmp_path: Path) -> None:
    """The archive does not know what the part means."""

    def collect(_paths: Paths, scratch: Path) -> list[Source]:
        made = scratch / "notes.txt"
        made.write_text("written for this archive")
        return [Source("notes/all.txt", made)]

    notes = Contribution("notes", "Notes", "every note", collect, lambda sources: {"pages": len(sources)})

    out = unpacked(filled, make_backup(filled, contributions=(*STANDARD, notes)), tmp_path)

    assert (out / "notes/all.txt").read_text() == "written for this archive"
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["sections"]["notes"] == {"pages": 1}
    assert {"section": "notes", "title": "Notes", "included": True, "why": "", "files": 1, "size": 24} in manifest[
        "included"
    ]


def test_a_proven_backup_removes_the_state_before_the_last_restore(filled: Appliance) -> None:
    filled.paths.data_before.mkdir()

    make_backup(filled, type="safety")
    assert filled.paths.data_before.exists()
    filled.paths.restore_trial.write_bytes(b"{}")
    make_backup(filled)
    assert filled.paths.data_before.exists()
    filled.paths.restore_trial.unlink()
    make_backup(filled)
    assert not filled.paths.data_before.exists()
    assert swap.state(filled.paths) is None


class as_nobody:  # noqa: N801 - reads as a sentence
    """Within the block the process has no rights of root, and owns `folder` but what was given mode 0."""

    def __init__(self, owned: Path) -> None:
        self.folder = owned

    def __enter__(self) -> None:
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
        for parent in self.folder.parents:
            if parent != Path("/tmp") and parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
        os.setegid(65534)
        os.seteuid(65534)

    def __exit__(self, *_error: object) -> None:
        os.seteuid(0)
        os.setegid(0)
