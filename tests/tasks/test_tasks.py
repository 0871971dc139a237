"""Kinds of work on a real appliance: what they do, what follows, and what a locked instance refuses."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from framerr import tasks
from framerr.accounts import pictures, sessions, users
from framerr.accounts.models import AccountSession
from framerr.appliance import Appliance
from framerr.backups import swap
from framerr.backups.models import FAILED, MADE, RESET, RESTORED
from framerr.core import uploads
from framerr.core.errors import Conflict
from framerr.jobs import queue, schedules
from framerr.jobs.models import Run, Trigger, Unit
from framerr.jobs.progress import Progress
from framerr.jobs.runner import RunContext, Runner
from framerr.observability import events
from framerr.settings import icons
from framerr.tasks import recovery, restoring
from tests.factories import NOW, PASSWORD, appliance_in, set_up
from tests.pictures import picture


class Bench:
    """An appliance with an administrator, and a runner whose clock stands at `now`."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance, self.now = appliance, NOW

    def clock(self) -> datetime:
        return self.now

    def run(self, kind: str, *, trigger: Trigger = "manual", subject: str = "", **params: str) -> Run:
        with self.appliance.db.writing() as session:
            run, _ = queue.enqueue(session, kind, subject=subject, params=params, trigger=trigger, now=self.now)
        return self.runner().run_here(run.uid)

    def runner(self) -> Runner:
        table = tasks.table(self.appliance)
        return Runner(self.appliance.db, table, on_outcome=tasks.on_outcome, clock=self.clock)

    def all_runs(self, kind: str) -> list[Run]:
        with self.appliance.db.reading() as session:
            return list(session.scalars(select(Run).where(Run.kind == kind).order_by(Run.id)))

    def told(self, kind: str) -> list[str]:
        with self.appliance.db.reading() as session:
            return [event.text for event in events.recent(session, kind=kind)]

    def files(self) -> list[str]:
        return sorted(path.name for path in self.appliance.paths.backups.iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with appliance_in(tmp_path) as appliance:
        set_up(appliance)
        yield Bench(appliance)


@pytest.mark.parametrize(
    ("trigger", "type"),
    [("manual", "manual"), ("schedule", "scheduled"), ("catch-up", "scheduled"), ("retry", "scheduled")],
)
def test_a_backup_has_the_type_of_who_asked(bench: Bench, trigger: Trigger, type: str) -> None:
    run = bench.run("backup", trigger=trigger)
    assert run.state == "done"
    assert bench.files() == [f"framerr-{type}-2026-03-10T12-00-00Z.zip"]
    assert len(bench.told(MADE)) == 1


def test_retention_follows_a_proven_backup(bench: Bench) -> None:
    """R-002-11: above Max the oldest go, after the new one is there."""
    for _ in range(9):
        bench.now += timedelta(hours=1)
        run = bench.run("backup", trigger="schedule")
    assert run.result is not None
    assert run.result["removed"] == ["framerr-scheduled-2026-03-10T14-00-00Z.zip"]
    assert len(bench.files()) == 7


def test_a_failed_scheduled_backup_is_tried_again_after_5_30_and_120_minutes(bench: Bench) -> None:
    bench.appliance.paths.backups.rmdir()
    bench.appliance.paths.backups.write_bytes(b"a file where the folder should be")
    run = bench.run("backup", trigger="schedule")
    waits = []
    for _ in range(3):
        again = bench.all_runs("backup")[-1]
        assert (again.state, again.trigger) == ("queued", "retry")
        assert again.not_before is not None
        assert run.finished_at is not None
        waits.append(round((again.not_before - run.finished_at).total_seconds() / 60))
        bench.now = again.not_before
        run = bench.runner().run_here(again.uid)
    assert waits == [5, 30, 120]
    assert [(one.state, one.attempt) for one in bench.all_runs("backup")] == [("failed", n) for n in (1, 2, 3, 4)]
    assert len(bench.told(FAILED)) == 4


def test_a_retry_that_works_ends_it(bench: Bench) -> None:
    backups = bench.appliance.paths.backups
    backups.rmdir()
    bench.run("backup", trigger="schedule")
    backups.mkdir()
    again = bench.all_runs("backup")[-1]
    bench.now += timedelta(minutes=5)
    assert bench.runner().run_here(again.uid).state == "done"
    assert [one.state for one in bench.all_runs("backup")] == ["failed", "done"]


def test_a_manual_backup_that_fails_is_not_tried_again(bench: Bench) -> None:
    bench.appliance.paths.backups.rmdir()
    run = bench.run("backup")
    assert run.state == "failed"
    assert len(bench.all_runs("backup")) == 1
    assert bench.told(FAILED) == [run.error]


def test_a_listed_backup_is_verified_and_a_damaged_one_fails(bench: Bench) -> None:
    made = bench.run("backup").result
    assert made is not None
    uid = str(made["uid"])
    assert bench.run("verify", subject=uid).state == "done"
    file = bench.appliance.paths.backups / str(made["name"])
    damaged = bytearray(file.read_bytes())
    damaged[300] ^= 1
    file.write_bytes(damaged)
    run = bench.run("verify", subject=uid)
    assert (run.state, run.error_code) == ("failed", "corrupt")


def upload(bench: Bench, source: Path) -> str:
    paths, data = bench.appliance.paths, source.read_bytes()
    announced = uploads.create(paths, length=len(data), name=source.name, owner="wizard", limit=10**9, now=bench.now)
    with source.open("rb") as stream:
        whole = uploads.append(paths, announced, 0, stream, size=len(data))
    return uploads.path_of(paths, whole).name


def test_an_upload_is_taken_into_the_list(bench: Bench, tmp_path: Path) -> None:
    made = bench.run("backup").result
    assert made is not None
    source = bench.appliance.paths.backups / str(made["name"])
    name = upload(bench, source)
    source.unlink()
    run = bench.run("adopt", upload=name)
    assert run.state == "done", run.error
    assert bench.files() == [source.name]
    assert list(bench.appliance.paths.uploads.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../framerr.db", "/etc/passwd"])
def test_an_upload_is_a_name_and_never_a_path(bench: Bench, name: str) -> None:
    assert bench.run("adopt", upload=name).error_code == "invalid_input"
    assert bench.run("restore", upload=name).error_code == "invalid_input"


@pytest.mark.parametrize("door", ["backup", "upload", "file"])
def test_a_restore_is_staged_and_asks_for_a_restart(bench: Bench, door: str) -> None:
    made = bench.run("backup").result
    assert made is not None
    source = bench.appliance.paths.backups / str(made["name"])
    ways = {"backup": str(made["uid"]), "upload": upload(bench, source), "file": str(source)}
    run = bench.run("restore", **{door: ways[door]})
    assert run.state == "done", run.error
    assert swap.state(bench.appliance.paths) == "pending"
    assert bench.appliance.lifecycle.restart_reason is not None
    assert [name for name in bench.files() if "safety" in name] == ["framerr-safety-2026-03-10T12-00-00Z.zip"]
    left = [path.suffix for path in bench.appliance.paths.uploads.iterdir()]
    assert len(left) == (0 if door == "upload" else 2), "a readable archive lies no longer than it is needed"
    assert source.exists()


def test_a_restore_carries_the_name_that_people_know(bench: Bench) -> None:
    made = bench.run("backup").result
    assert made is not None
    source = bench.appliance.paths.backups / str(made["name"])
    result = bench.run("restore", upload=upload(bench, source), name="my laptop.zip").result
    assert result is not None
    assert (result["name"], result["what"]) == ("my laptop.zip", "my laptop.zip, made 2026-03-10 12:00 UTC")


def test_an_upload_that_cannot_be_restored_stays_for_another_try(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"no archive")
    name = upload(bench, tmp_path / "holiday.zip")
    assert bench.run("restore", upload=name).state == "failed"
    assert (bench.appliance.paths.uploads / name).exists()


class Meanwhile(Progress):
    """Somebody gets an account between the first look at an instance and the end of a restore."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance

    def stage(self, name: str, total: int = 0, unit: Unit = "") -> None:  # noqa: ARG002 - only the name is needed
        if name == "Finishing":
            with self._appliance.db.writing() as session:
                users.create_user(
                    session, username="eve", password=PASSWORD, display_name="", role="administrator", now=NOW
                )


def restore_meanwhile(appliance: Appliance, source: Path) -> None:
    progress = Meanwhile(appliance)
    restoring.restore_archive(
        appliance,
        RunContext(
            uid="x",
            kind="restore",
            subject="",
            params={"file": str(source)},
            trigger="manual",
            requested_by="setup",
            attempt=1,
            due_at=None,
            progress=progress,
            now=NOW,
        ),
    )


def test_a_restore_into_an_instance_that_was_set_up_meanwhile_is_called_off(bench: Bench, tmp_path: Path) -> None:
    """Whoever set it up would vanish with the restart."""
    made = bench.run("backup").result
    assert made is not None
    with appliance_in(tmp_path / "empty") as empty:
        with pytest.raises(Conflict, match="already set up"):
            restore_meanwhile(empty, bench.appliance.paths.backups / str(made["name"]))

        assert swap.state(empty.paths) is None
        assert empty.lifecycle.restart_reason is None
        assert list(empty.paths.staging.iterdir()) == []


def test_an_account_more_does_not_call_off_what_an_administrator_asked_for(bench: Bench) -> None:
    made = bench.run("backup").result
    assert made is not None

    restore_meanwhile(bench.appliance, bench.appliance.paths.backups / str(made["name"]))

    assert swap.state(bench.appliance.paths) == "pending"


def test_a_restore_that_fails_asks_for_nothing(bench: Bench) -> None:
    run = bench.run("restore", file="/nowhere/at-all.zip")
    assert (run.state, run.error_code) == ("failed", "not_found")
    assert swap.state(bench.appliance.paths) is None
    assert bench.appliance.lifecycle.restart_reason is None


def test_a_reset_is_staged_and_asks_for_a_restart(bench: Bench) -> None:
    assert bench.run("reset").state == "done"
    assert swap.state(bench.appliance.paths) == "pending"
    assert bench.appliance.lifecycle.restart_reason == "reset to the setup wizard"


def test_housekeeping_removes_what_is_over(bench: Bench) -> None:
    appliance = bench.appliance
    sessions.sign_in(
        appliance.db, "admin", PASSWORD, address="127.0.0.1", user_agent="x", persistent=False, now=bench.now
    )
    left = appliance.paths.uploads / "left-alone"
    left.write_bytes(b"x")
    os.utime(left, (bench.now.timestamp(), bench.now.timestamp()))
    old = appliance.paths.data_before
    old.mkdir()
    os.utime(old, (bench.now.timestamp(), bench.now.timestamp()))
    bench.now += timedelta(days=6)
    assert bench.run("housekeeping").state == "done"
    assert old.exists()
    with appliance.db.reading() as session:
        assert session.scalars(select(AccountSession)).all() == []
    assert not left.exists()
    bench.now += timedelta(days=2)
    assert bench.run("housekeeping").state == "done"
    assert not old.exists()


def test_jobs_with_backups_run_one_at_a_time_whoever_queued_them(bench: Bench) -> None:
    """Two workers, six jobs, and never two of them in the folder at once."""
    made = bench.run("backup").result
    assert made is not None
    with bench.appliance.db.writing() as session:
        for kind, subject in (("backup", ""), ("verify", str(made["uid"])), ("reset", "")):
            queue.enqueue(session, kind, subject=subject, trigger="manual", now=bench.now)
    runner, ended = bench.runner(), threading.Event()
    runner.start()
    while not ended.wait(0.02):
        runs = [run for kind in ("backup", "verify", "reset") for run in bench.all_runs(kind)]
        if not any(run.is_open for run in runs):
            ended.set()
    assert runner.stop(10)
    assert {run.kind: run.state for run in runs} == {"backup": "done", "verify": "done", "reset": "done"}


def test_a_tick_queues_what_is_due_and_a_locked_instance_ticks_in_vain(bench: Bench) -> None:
    """T27."""
    locked = replace(bench.appliance, locked="The key is another one.")
    tasks.tick(locked, NOW + timedelta(days=1))
    assert bench.all_runs("backup") == []
    tasks.tick(bench.appliance, NOW + timedelta(days=1))
    assert [run.trigger for run in bench.all_runs("backup")] == ["catch-up"]


def test_a_locked_instance_refuses_all_work_but_the_ways_out(bench: Bench) -> None:
    made = bench.run("backup").result
    assert made is not None
    locked = Bench(replace(bench.appliance, locked="The key is another one."))
    for kind in tasks.table(bench.appliance).keys() - tasks.ALLOWED_WHEN_LOCKED:
        run = locked.run(kind)
        assert (run.state, run.error) == ("failed", "The key is another one.")
    assert locked.run("restore", backup=str(made["uid"])).state == "done"


def test_boot_schedules_the_daily_job_once_and_keeps_a_changed_one(bench: Bench) -> None:
    recovery.recover(bench.appliance, NOW)
    with bench.appliance.db.reading() as session:
        first = schedules.get(session, "housekeeping")
    recovery.recover(bench.appliance, NOW + timedelta(days=3))
    with bench.appliance.db.reading() as session:
        again = schedules.get(session, "housekeeping")
    assert first is not None
    assert again is not None
    assert (first.frequency, first.next_due_at) == ("daily", again.next_due_at)


@pytest.mark.parametrize(("kind", "event"), [("restore", RESTORED), ("reset", RESET)])
def test_how_a_restore_ended_is_told_once(bench: Bench, kind: swap.Kind, event: str) -> None:
    paths = bench.appliance.paths
    (paths.staging / "data").mkdir()
    marker = swap.Marker(kind=kind, what="of something", requested_by="admin", swaps=[swap.data_swap(paths)])
    bench.appliance.db.close()
    swap.announce(paths, marker)
    swap.begin_boot(paths, NOW)
    staged_away = paths.data
    staged_away.rmdir()
    paths.data_before.rename(paths.data)
    swap.confirm(paths, NOW)
    kept = paths.restore_outcome.read_bytes()
    recovery.tell_outcome(bench.appliance, NOW)
    paths.restore_outcome.write_bytes(kept)  # killed between telling and forgetting
    recovery.tell_outcome(bench.appliance, NOW)
    assert len(bench.told(event)) == 1
    assert not paths.restore_outcome.exists()


def test_half_made_archives_are_swept_and_a_folder_that_is_away_keeps_nobody_from_booting(bench: Bench) -> None:
    backups = bench.appliance.paths.backups
    (backups / ".framerr-manual-2026-03-10T12-00-00Z.zip.part").write_bytes(b"half")
    recovery.recover(bench.appliance, NOW)
    assert bench.files() == []
    backups.rmdir()
    recovery.recover(bench.appliance, NOW)
    backups.mkdir()


def test_half_made_archives_of_another_instance_in_a_shared_folder_are_left_alone(bench: Bench, tmp_path: Path) -> None:
    """Two instances on one NAS: booting one does not take away what the other is making."""
    backups, share = bench.appliance.paths.backups, tmp_path / "share"
    backups.rmdir()
    share.mkdir()
    backups.symlink_to(share)
    part = backups / ".framerr-manual-2026-03-10T12-00-00Z.zip.part"
    part.write_bytes(b"half")
    os.utime(part, (NOW.timestamp(), NOW.timestamp()))
    recovery.recover(bench.appliance, NOW + timedelta(hours=23))
    assert part.exists()
    recovery.recover(bench.appliance, NOW + timedelta(hours=25))
    assert not part.exists()


def test_housekeeping_removes_pictures_that_no_row_names(bench: Bench) -> None:
    """A crash between a picture's file and its row leaves one; nothing that a row names or a person put there goes."""
    parts = bench.appliance
    icon = icons.add_icon(parts.db, parts.paths, "Shop", picture(), NOW).file
    with parts.db.reading() as session:
        user = users.find_by_username(session, "admin")
    assert user is not None
    face = pictures.save_picture(parts.db, parts.paths, user.uid, picture())
    orphans = [folder / f"{'0' * 32}.png" for folder in (parts.paths.custom_icons, parts.paths.profile_pictures)]
    stays = [
        parts.paths.custom_icons / icon,
        parts.paths.profile_pictures / face,
        parts.paths.custom_icons / "by-hand.png",
        parts.paths.custom_icons / f"{'1' * 32}.png",
    ]
    for path in (*orphans, *stays[2:]):
        path.write_bytes(picture())
    for path in (*orphans, *stays[:3]):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    bench.now = NOW + timedelta(days=2)
    os.utime(stays[3], ((NOW + timedelta(days=1, hours=1)).timestamp(),) * 2)

    result = bench.run("housekeeping").result

    assert result is not None
    assert result["pictures"] == 2
    assert [path.exists() for path in orphans] == [False, False]
    assert [path.exists() for path in stays] == [True] * 4
