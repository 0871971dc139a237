"""The exchange at boot: stopped after any step, any number of times, it ends wholly old or wholly new."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from framerr.backups import swap
from framerr.core.errors import Conflict
from framerr.core.paths import Paths

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


class Killed(Exception):
    """The process was killed here."""


class KillAt:
    """A step hook that kills at the n-th step, and says which steps there were."""

    def __init__(self, step: int | None) -> None:
        self.left, self.steps = step, list[str]()

    def __call__(self, step: str) -> None:
        self.steps.append(step)
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A live state, a staged one, and the marker that asks for the exchange."""
    prepared = Paths(tmp_path)
    prepared.prepare()
    write_state(prepared.data, "old", wal=True)
    write_state(prepared.staging / "data", "new", wal=False)
    swap.announce(prepared, swap.Marker(what="x.zip", requested_by="ada", swaps=[swap.data_swap(prepared)]))
    return prepared


def write_state(folder: Path, name: str, *, wal: bool) -> None:
    (folder / "custom-icons").mkdir(parents=True, exist_ok=True)
    (folder / "framerr.db").write_text(name)
    (folder / "custom-icons" / "icon.png").write_text(name)
    if wal:
        (folder / "framerr.db-wal").write_text(name)


def state_of(folder: Path) -> set[str]:
    """Which states the files of a folder belong to; a mix has two."""
    return {path.read_text() for path in folder.rglob("*") if path.is_file()}


def boot(paths: Paths, hook: KillAt | None = None) -> swap.Trial | None:
    """What a process does first: make the folders, then look at the markers."""
    paths.prepare()
    return swap.begin_boot(paths, NOW, hook or KillAt(None))


def steps_of(paths: Paths) -> list[str]:
    hook = KillAt(None)
    boot(paths, hook)
    return hook.steps


def test_the_staged_state_is_put_in_and_the_old_one_kept(paths: Paths) -> None:
    trial = boot(paths)

    assert trial == swap.Trial(1, "restore", "x.zip")
    assert state_of(paths.data) == {"new"}
    assert state_of(paths.data_before) == {"old"}
    assert swap.state(paths) == "trial"
    assert not (paths.data / "framerr.db-wal").exists()


def test_without_a_marker_nothing_happens(paths: Paths) -> None:
    paths.restore_pending.unlink()

    assert boot(paths) is None

    assert state_of(paths.data) == {"old"}


def test_a_confirmed_state_stays_for_good(paths: Paths) -> None:
    boot(paths)

    assert swap.confirm(paths, NOW) is True

    assert boot(paths) is None
    assert state_of(paths.data) == {"new"}
    outcome = swap.read_outcome(paths)
    assert outcome is not None
    assert (outcome.result, outcome.what, outcome.requested_by, outcome.before) == (
        "kept", "x.zip", "ada", "data.before",
    )  # fmt: skip
    swap.forget_outcome(paths)
    assert swap.read_outcome(paths) is None
    assert swap.confirm(paths, NOW) is False


def test_the_third_boot_brings_the_old_state_back_and_says_so(paths: Paths) -> None:
    """T15, T16: no boot loop."""
    assert [boot(paths), boot(paths)] == [swap.Trial(1, "restore", "x.zip"), swap.Trial(2, "restore", "x.zip")]

    assert boot(paths) is None

    assert state_of(paths.data) == {"old"}
    assert state_of(paths.data_failed) == {"new"}
    outcome = swap.read_outcome(paths)
    assert outcome is not None
    assert (outcome.result, outcome.reason) == ("returned", "It did not come up in two attempts.")
    assert outcome.failed == "data.failed"
    swap.forget_outcome(paths)
    assert state_of(paths.data_failed) == {"new"}, "what was written since is not lost at once"
    assert boot(paths) is None
    assert state_of(paths.data) == {"old"}


def test_the_reason_says_whether_it_came_up(paths: Paths) -> None:
    boot(paths)
    swap.note_ready(paths)
    boot(paths)

    assert boot(paths) is None

    outcome = swap.read_outcome(paths)
    assert outcome is not None
    assert outcome.reason == "It came up, but in two starts it never ran for a whole minute."


def test_a_boot_that_came_up_and_was_ended_politely_is_not_counted(paths: Paths) -> None:
    """Three restarts by a person within the first minute revert nothing."""
    for _ in range(5):
        assert boot(paths) == swap.Trial(1, "restore", "x.zip")
        swap.uncount(paths)
    boot(paths)

    assert boot(paths) == swap.Trial(2, "restore", "x.zip")
    assert state_of(paths.data) == {"new"}


def test_the_outcome_is_told_before_the_state_stays_for_good(paths: Paths) -> None:
    """Killed while telling, the state is on trial as before."""
    boot(paths)

    def killed(_outcome: swap.Outcome) -> None:
        raise Killed

    with pytest.raises(Killed):
        swap.confirm(paths, NOW, tell=killed)

    assert swap.state(paths) == "trial"
    assert swap.read_outcome(paths) is None, "it has not ended"
    heard: list[swap.Outcome] = []
    assert swap.confirm(paths, NOW, tell=heard.append) is True
    assert [(outcome.result, outcome.what) for outcome in heard] == [("kept", "x.zip")]
    assert swap.read_outcome(paths) == heard[0]


def test_a_refused_migration_brings_the_old_state_back_at_once(paths: Paths) -> None:
    boot(paths)

    swap.give_back(paths, "The schema was refused.", NOW)

    assert state_of(paths.data) == {"old"}
    outcome = swap.read_outcome(paths)
    assert outcome is not None
    assert outcome.reason == "The schema was refused."
    assert swap.state(paths) is None


def test_a_running_process_asks_and_the_next_boot_gives_back(paths: Paths) -> None:
    """T16: 60 seconds not ready; the database is open, so only the marker is written."""
    boot(paths)

    assert swap.ask_return(paths, "Not ready for a minute.") is True

    assert state_of(paths.data) == {"new"}
    assert boot(paths) is None
    assert state_of(paths.data) == {"old"}
    assert swap.ask_return(paths, "again") is False


def test_steps_have_names(paths: Paths) -> None:
    assert steps_of(paths) == ["data set aside", "data put in", "on trial", "counted"]
    assert steps_of(paths) == ["counted"]
    assert steps_of(paths) == ["counted", "returning", "data taken out", "data given back", "outcome written"]


@pytest.mark.parametrize("kills", list(itertools.product(range(6), repeat=3)))
def test_killed_three_times_anywhere_it_is_old_or_new(paths: Paths, kills: tuple[int, ...]) -> None:
    """T15: 216 sequences of three kills, each after another step; each boot makes the folders first."""
    for step in kills:
        with suppress(Killed):
            boot(paths, KillAt(step))
        assert_whole(paths)
    for _ in range(4):
        boot(paths)
        assert_whole(paths)

    assert state_of(paths.data) == {"old"}, "four boots that never confirm end with the old state"
    assert swap.state(paths) is None
    assert swap.read_outcome(paths) is not None


def assert_whole(paths: Paths) -> None:
    """Live, kept and failed are each of one state, and neither state is lost."""
    folders = (paths.data, paths.data_before, paths.data_failed, paths.staging)
    states = [state_of(folder) for folder in folders if folder.exists()]
    assert all(len(state) <= 1 for state in states)
    assert {"old"} in states
    assert {"new"} in states
    assert sum(state == {"old"} for state in states) == 1
    assert not list(paths.root.glob("*.stray-*"))


@pytest.mark.parametrize("step", range(4))
def test_killed_while_giving_back_it_ends_old(paths: Paths, step: int) -> None:
    boot(paths)
    with pytest.raises(Killed):
        swap.give_back(paths, "refused", NOW, KillAt(step))
    assert_whole(paths)

    boot(paths)

    assert state_of(paths.data) == {"old"}
    outcome = swap.read_outcome(paths)
    assert outcome is not None
    assert outcome.reason == "refused"


@pytest.mark.parametrize("step", range(3))
def test_killed_while_being_put_in_then_confirmed_it_is_new(paths: Paths, step: int) -> None:
    with pytest.raises(Killed):
        boot(paths, KillAt(step))

    boot(paths)
    swap.confirm(paths, NOW)

    assert state_of(paths.data) == {"new"}
    assert boot(paths) is None


def test_a_staged_state_that_vanished_changes_nothing(paths: Paths) -> None:
    for path in sorted((paths.staging / "data").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (paths.staging / "data").rmdir()

    assert boot(paths) is None

    assert state_of(paths.data) == {"old"}
    outcome = swap.read_outcome(paths)
    assert outcome is not None
    assert outcome.result == "returned"
    assert "not there any more" in outcome.reason


def test_a_live_state_that_vanished_is_no_obstacle(paths: Paths) -> None:
    paths.data.rename(paths.root / "lost")

    swap.begin_boot(paths, NOW)

    assert state_of(paths.data) == {"new"}
    swap.give_back(paths, "x", NOW)
    assert state_of(paths.data) == set()


def test_files_that_should_not_be_there_are_never_lost(paths: Paths) -> None:
    """Somebody copied a database into the gap between the two renames."""
    with pytest.raises(Killed):
        boot(paths, KillAt(0))
    write_state(paths.data, "copied in by hand", wal=False)

    boot(paths)

    assert state_of(paths.data) == {"new"}
    (stray,) = paths.root.glob("data.stray-*")
    assert state_of(stray) == {"copied in by hand"}


@pytest.mark.parametrize("marker", ["restore_pending", "restore_trial", "restore_return"])
def test_a_marker_that_cannot_be_read_does_not_stop_the_boot(paths: Paths, marker: str) -> None:
    if marker != "restore_pending":
        boot(paths)
    if marker == "restore_return":
        swap.ask_return(paths, "x")
    getattr(paths, marker).write_bytes(b"\0\0\0")

    boot(paths)

    assert_whole(paths)
    assert state_of(paths.data) == ({"old"} if marker == "restore_return" else {"new"})


def test_a_state_set_aside_for_good_is_not_the_one_that_is_removed(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()
    write_state(paths.data, "old", wal=False)
    write_state(paths.staging / "data", "new", wal=False)
    aside = paths.root / "data.set-aside-x"
    swap.announce(paths, swap.Marker(swaps=[swap.data_swap(paths, before=aside)]))
    boot(paths)
    swap.confirm(paths, NOW)

    assert swap.retire_before(paths, NOW) is False

    assert state_of(aside) == {"old"}


def test_the_state_before_goes_on_its_seventh_day(paths: Paths) -> None:
    boot(paths)
    assert swap.retire_before(paths, NOW + timedelta(days=30)) is False, "not while it is the way back"
    swap.confirm(paths, NOW)

    assert swap.retire_before(paths, NOW + timedelta(days=6), older_than=swap.KEPT_BEFORE) is False
    assert swap.retire_before(paths, NOW - timedelta(days=400), older_than=swap.KEPT_BEFORE) is False
    assert state_of(paths.data_before) == {"old"}
    assert swap.retire_before(paths, NOW + timedelta(days=7), older_than=swap.KEPT_BEFORE) is True
    assert not paths.data_before.exists()


def test_the_state_that_gave_way_goes_on_its_seventh_day_too(paths: Paths) -> None:
    boot(paths)
    swap.give_back(paths, "x", NOW)

    assert swap.retire_before(paths, NOW + timedelta(days=6), older_than=swap.KEPT_BEFORE) is False
    assert state_of(paths.data_failed) == {"new"}
    assert swap.retire_before(paths, NOW + timedelta(days=7), older_than=swap.KEPT_BEFORE) is True
    assert not paths.data_failed.exists()


def test_a_proven_backup_retires_the_state_that_gave_way(paths: Paths) -> None:
    boot(paths)
    swap.give_back(paths, "x", NOW)

    assert swap.retire_before(paths, NOW) is True
    assert not paths.data_failed.exists()


def test_one_at_a_time(paths: Paths) -> None:
    with pytest.raises(Conflict, match="prepared already"):
        swap.require_idle(paths)
    boot(paths)
    with pytest.raises(Conflict, match="on trial"):
        swap.require_idle(paths)
    swap.require_unprepared(paths)
    swap.ask_return(paths, "x")
    with pytest.raises(Conflict, match="giving way"):
        swap.require_unprepared(paths)
    boot(paths)
    swap.require_idle(paths)


def prepare(paths: Paths, name: str) -> None:
    """Another state, staged and announced."""
    write_state(paths.staging / "data", name, wal=False)
    swap.announce(paths, swap.Marker(what=f"{name}.zip", swaps=[swap.data_swap(paths)]))


def test_the_wrong_file_is_replaced_at_once_and_the_proven_state_stays_the_way_back(paths: Paths) -> None:
    boot(paths)
    prepare(paths, "newer")
    assert swap.state(paths) == "pending"
    assert swap.confirm(paths, NOW) is False, "what is to be replaced is not confirmed any more"

    assert boot(paths) == swap.Trial(1, "restore", "newer.zip")

    assert [state_of(folder) for folder in (paths.data, paths.data_before, paths.data_failed)] == [
        {"newer"}, {"old"}, {"new"},
    ]  # fmt: skip
    assert swap.state(paths) == "trial"
    swap.give_back(paths, "x", NOW)
    assert state_of(paths.data) == {"old"}
    outcome = swap.read_outcome(paths)
    assert outcome is not None
    assert outcome.what == "newer.zip"


def test_a_damaged_state_on_trial_is_replaced_and_the_proven_one_set_aside(paths: Paths) -> None:
    """The one on trial cannot be opened, so no safety backup was made and the way back is kept for good."""
    boot(paths)
    write_state(paths.staging / "data", "newer", wal=False)
    aside = paths.root / "data.set-aside-x"
    swap.announce(paths, swap.Marker(swaps=[swap.data_swap(paths, before=aside)]))

    swap.apply_pending(paths, NOW)

    assert [state_of(folder) for folder in (paths.data, aside, paths.data_failed)] == [{"newer"}, {"old"}, {"new"}]
    swap.give_back(paths, "x", NOW)
    assert state_of(paths.data) == {"old"}


def test_the_wrong_file_is_replaced_on_a_stopped_instance(paths: Paths) -> None:
    """A command counts no boot, so nothing else would ever end that trial."""
    swap.apply_pending(paths, NOW)
    prepare(paths, "newer")

    swap.apply_pending(paths, NOW)

    assert state_of(paths.data) == {"newer"}
    assert state_of(paths.data_before) == {"old"}
    assert swap.confirm(paths, NOW) is True
    assert not list(paths.root.glob("*.stray-*"))


def test_a_confirmed_state_is_the_way_back_of_the_next_one(paths: Paths) -> None:
    boot(paths)
    swap.confirm(paths, NOW)
    prepare(paths, "newer")

    boot(paths)

    assert state_of(paths.data) == {"newer"}
    assert state_of(paths.data_before) == {"new"}


@pytest.mark.parametrize("kills", list(itertools.product(range(9), repeat=2)))
def test_killed_twice_while_the_wrong_file_is_replaced_it_is_old_or_newer(paths: Paths, kills: tuple[int, ...]) -> None:
    """T15: 81 sequences of two kills; no state is mixed, none of the three is lost before the third is judged."""
    boot(paths)
    prepare(paths, "newer")
    for step in kills:
        with suppress(Killed):
            boot(paths, KillAt(step))
        folders = (paths.data, paths.data_before, paths.data_failed, paths.staging)
        states = [state_of(folder) for folder in folders if folder.exists() and state_of(folder)]
        assert all(len(state) == 1 for state in states)
        assert {"old"} in states
        assert {"newer"} in states
    for _ in range(4):
        boot(paths)

    assert state_of(paths.data) == {"old"}
    assert state_of(paths.data_failed) == {"newer"}
    assert swap.state(paths) is None
    assert not list(paths.root.glob("*.stray-*"))
