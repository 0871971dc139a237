"""Exchanging the live state for a staged one at boot, on trial, with a way back. File operations only (flow E).

    restore.pending   per swap: live -> before, staged -> live; each rename is skipped when it is done already
    restore.trial     counts each boot; `confirm` removes it
    restore.return    live -> failed, before -> live

Each marker is one rename of the one before, so the state is always one of them, and every function here may be cut off
after any step and called again (T15). Beside a state on trial another one may be prepared, for the wrong file must be
correctable at once: then the state on trial gives way first, so that the way back of both is the one state that had
proved itself. Nothing here opens a database: the folder moves with its write-ahead log, so an
old log is never replayed into a new database (T14). Only the holder of the folder lock may call this, before anything
else opens what is exchanged.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from framerr.core.db import new_uid
from framerr.core.errors import Conflict
from framerr.core.files import atomic_write, disk_errors, fsync_folder, remove_tree
from framerr.core.paths import Paths

log = logging.getLogger(__name__)

BOOTS_ON_TRIAL = 2
KEPT_BEFORE = timedelta(days=7)
REPLACED = "Another one was put in before this one had proved itself."
After = Callable[[str], None]
# Whether a state stays for good and whether it gives way to another are one decision.
_deciding = threading.Lock()
Kind = Literal["restore", "reset"]


class Swap(msgspec.Struct, frozen=True):
    """One folder to exchange; names are relative to the root of the instance and on one file system."""

    live: str
    staged: str
    before: str
    failed: str


class Marker(msgspec.Struct, kw_only=True):
    """What a marker file says. `what` completes "The restore of …" and "The reset …". `boots` counts those that did not
    end politely, `came_up` says whether one of them became ready.
    """

    id: str = msgspec.field(default_factory=new_uid)
    kind: Kind = "restore"
    what: str = "a backup"
    requested_by: str = ""
    staged_at: datetime | None = None
    swaps: list[Swap]
    boots: int = 0
    came_up: bool = False
    reason: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """How it ended, for the database that is live now. `before` is where the replaced state lies, if it does, `failed`
    where the one lies that gave way.
    """

    id: str
    kind: Kind
    result: Literal["kept", "returned"]
    what: str
    requested_by: str
    reason: str
    at: datetime
    before: str
    failed: str = ""


@dataclass(frozen=True)
class Trial:
    """The live state is a restored one that must prove itself: this is its `boot`-th boot."""

    boot: int
    kind: Kind
    what: str


def _nothing(_step: object) -> None:
    """The step hook outside of tests."""


def data_swap(paths: Paths, before: Path | None = None) -> Swap:
    """The exchange of `data/`; `before` is where the replaced state goes when it must be kept for good."""
    names = (paths.data, paths.staging / "data", before or paths.data_before, paths.data_failed)
    return Swap(*(str(path.relative_to(paths.root)) for path in names))


def state(paths: Paths) -> Literal["pending", "trial", "return"] | None:
    """What the next boot meets: a state to put in, to give back, or one on trial."""
    if paths.restore_pending.exists():
        return "pending"
    if paths.restore_return.exists():
        return "return"
    return "trial" if paths.restore_trial.exists() else None


def require_idle(paths: Paths) -> None:
    """Raises Conflict while a restore or a reset is waiting or on trial."""
    require_unprepared(paths)
    if paths.restore_trial.exists():
        raise Conflict("A restored state is still on trial. Try again in a minute.")


def require_unprepared(paths: Paths) -> None:
    """Raises Conflict while a restore or a reset waits for a restart. A state on trial may be replaced."""
    match state(paths):
        case "pending":
            raise Conflict("A restore is prepared already. Restart Framerr to apply it, then try again.")
        case "return":
            raise Conflict("A restored state is giving way to the previous one. Try again when Framerr has restarted.")


def announce(paths: Paths, marker: Marker) -> None:
    """Write `restore.pending`: from here on the next boot exchanges the state. Raises DiskFull or Unavailable.

    What an earlier restore replaced makes room for what this one replaces, unless that earlier one is on trial: then it
    is the way back of both.
    """
    with _deciding, disk_errors(paths.restore_pending):
        if not paths.restore_trial.exists():
            remove_tree(paths.data_before)
        atomic_write(paths.restore_pending, msgspec.json.encode(marker))


def begin_boot(paths: Paths, now: datetime, after: After = _nothing) -> Trial | None:
    """Carry out what the markers ask for, and count this boot when the live state is on trial.

    The boot after the last one allowed gives the previous state back instead. Raises Unavailable or DiskFull when the
    folder cannot be changed; calling it again continues.
    """
    with disk_errors(paths.root):
        _put_in_prepared(paths, now, after)
        if paths.restore_trial.exists():
            marker = _read(paths, paths.restore_trial)
            marker.boots += 1
            _rewrite(paths.restore_trial, marker)
            after("counted")
            if marker.boots <= BOOTS_ON_TRIAL:
                return Trial(marker.boots, marker.kind, marker.what)
            _turn_back(paths, paths.restore_trial, marker, _why_not(marker), after)
        if paths.restore_return.exists():
            _give_back(paths, now, after)
    return None


def apply_pending(paths: Paths, now: datetime, after: After = _nothing) -> None:
    """Exchange what is prepared, or finish giving back, and count no boot: for a command on a stopped instance.

    Raises Unavailable or DiskFull when the folder cannot be changed; calling it again continues.
    """
    with disk_errors(paths.root):
        _put_in_prepared(paths, now, after)
        if paths.restore_return.exists():
            _give_back(paths, now, after)


def note_ready(paths: Paths) -> None:
    """The state on trial came up. Raises Unavailable or DiskFull."""
    with disk_errors(paths.root):
        if paths.restore_trial.exists():
            marker = _read(paths, paths.restore_trial)
            marker.came_up = True
            _rewrite(paths.restore_trial, marker)


def uncount(paths: Paths) -> None:
    """This boot came up and a person ends it, which says nothing against the state on trial: it does not count.

    Raises Unavailable or DiskFull.
    """
    with disk_errors(paths.root):
        if paths.restore_trial.exists():
            marker = _read(paths, paths.restore_trial)
            marker.boots, marker.came_up = max(0, marker.boots - 1), True
            _rewrite(paths.restore_trial, marker)


def give_back(paths: Paths, reason: str, now: datetime, after: After = _nothing) -> None:
    """The state on trial failed, for instance its migration was refused: bring back the previous one, now.

    The database must be closed. Does nothing when nothing is on trial. Raises Unavailable or DiskFull.
    """
    ask_return(paths, reason, after)
    with disk_errors(paths.root):
        if paths.restore_return.exists():
            _give_back(paths, now, after)


def ask_return(paths: Paths, reason: str, after: After = _nothing) -> bool:
    """Mark the state on trial as failed, so that the next boot brings back the previous one; whether there was one.

    For a running process whose database is open (T16): it executes itself anew afterwards.
    """
    with disk_errors(paths.root):
        if not paths.restore_trial.exists():
            return False
        _turn_back(paths, paths.restore_trial, _read(paths, paths.restore_trial), reason, after)
        return True


def confirm(paths: Paths, now: datetime, tell: Callable[[Outcome], object] = _nothing) -> bool:
    """The state on trial proved itself: `tell` hears that first, then it stays. Whether there was one to confirm.

    One whose successor is prepared is not confirmed any more. Raises Unavailable or DiskFull.
    """
    with _deciding, disk_errors(paths.root):
        if state(paths) != "trial":
            return False
        marker = _read(paths, paths.restore_trial)
        if paths.data_before.exists():
            os.utime(paths.data_before, (now.timestamp(), now.timestamp()))
        tell(_write_outcome(paths, marker, "kept", now))
        paths.restore_trial.unlink()
        fsync_folder(paths.root)
        return True


def retire_before(paths: Paths, now: datetime, *, older_than: timedelta = timedelta(0)) -> bool:
    """Remove the state that a confirmed restore replaced, and the one that gave way; whether something was removed.

    They stay while any restore is under way. A backup that was just proven removes them, and so does their seventh day
    (`older_than=KEPT_BEFORE`). Raises Unavailable.
    """
    if state(paths) is not None:
        return False
    is_retired = False
    for left in (paths.data_before, paths.data_failed):
        with disk_errors(left):
            if left.exists() and (not older_than or _age(left, now) >= older_than):
                remove_tree(left)
                is_retired = True
    return is_retired


def read_outcome(paths: Paths) -> Outcome | None:
    """How the last restore or reset ended, until `forget_outcome`; None while the state is on trial. Raises Unavailable."""
    if state(paths) is not None or not paths.restore_outcome.exists():
        return None
    with disk_errors(paths.restore_outcome):
        text = paths.restore_outcome.read_bytes()
    try:
        return msgspec.json.decode(text, type=Outcome)
    except msgspec.DecodeError:
        log.warning("%s cannot be read and is ignored", paths.restore_outcome)
        return None


def forget_outcome(paths: Paths) -> None:
    """The outcome was told. Raises Unavailable."""
    with disk_errors(paths.root):
        paths.restore_outcome.unlink(missing_ok=True)
        fsync_folder(paths.root)


def _put_in_prepared(paths: Paths, now: datetime, after: After) -> None:
    if not paths.restore_pending.exists():
        return
    if paths.restore_trial.exists():
        _turn_back(paths, paths.restore_trial, _read(paths, paths.restore_trial), REPLACED, after)
    if paths.restore_return.exists():
        _give_back(paths, now, after)
    _apply(paths, _read(paths, paths.restore_pending), after)


def _why_not(marker: Marker) -> str:
    if marker.came_up:
        return "It came up, but in two starts it never ran for a whole minute."
    return "It did not come up in two attempts."


def _age(path: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _apply(paths: Paths, marker: Marker, after: After) -> None:
    if any(_is_lost(paths, swap) for swap in marker.swaps):
        _turn_back(paths, paths.restore_pending, marker, "What had been prepared was not there any more.", after)
        return
    for swap in marker.swaps:
        _put_in(paths, swap, after)
    _rename(paths.restore_pending, paths.restore_trial)
    after("on trial")


def _is_lost(paths: Paths, swap: Swap) -> bool:
    return not (paths.root / swap.staged).exists() and not (paths.root / swap.before).exists()


def _put_in(paths: Paths, swap: Swap, after: After) -> None:
    live, staged, before = (paths.root / name for name in (swap.live, swap.staged, swap.before))
    if not staged.exists():
        return
    if before.exists():
        _clear(live)
    elif live.exists():
        _rename(live, before)
    else:
        before.mkdir(mode=0o700)  # says, like a renamed one, that this swap has begun
    after(f"{swap.live} set aside")
    _rename(staged, live)
    after(f"{swap.live} put in")


def _turn_back(paths: Paths, marker_file: Path, marker: Marker, reason: str, after: After) -> None:
    for swap in marker.swaps:
        remove_tree(paths.root / swap.failed)
    marker.reason = reason
    _rewrite(marker_file, marker)
    _rename(marker_file, paths.restore_return)
    after("returning")


def _give_back(paths: Paths, now: datetime, after: After) -> None:
    marker = _read(paths, paths.restore_return)
    for swap in marker.swaps:
        live, before, failed = (paths.root / name for name in (swap.live, swap.before, swap.failed))
        if not before.exists():
            continue
        if failed.exists():
            _clear(live)
        elif live.exists():
            _rename(live, failed)
        after(f"{swap.live} taken out")
        _rename(before, live)
        after(f"{swap.live} given back")
        if failed.exists():  # kept from now on, whenever it was written last
            os.utime(failed, (now.timestamp(), now.timestamp()))
    _write_outcome(paths, marker, "returned", now)
    after("outcome written")
    paths.restore_return.unlink()
    fsync_folder(paths.root)


def _clear(live: Path) -> None:
    """Make room where a boot that was cut off between two renames may have made empty folders. Files are never lost."""
    if not live.exists():
        return
    if any(names for _, _, names in os.walk(live)):
        aside = live.with_name(f"{live.name}.stray-{new_uid()}")
        log.warning("%s should have been gone; it was moved to %s", live, aside)
        _rename(live, aside)
    else:
        remove_tree(live)


def _read(paths: Paths, marker_file: Path) -> Marker:
    try:
        return msgspec.json.decode(marker_file.read_bytes(), type=Marker)
    except msgspec.DecodeError:
        log.warning("%s cannot be read; the exchange of %s is finished without it", marker_file, paths.data)
        return Marker(swaps=[data_swap(paths)])


def _rewrite(marker_file: Path, marker: Marker) -> None:
    atomic_write(marker_file, msgspec.json.encode(marker))


def _write_outcome(paths: Paths, marker: Marker, result: Literal["kept", "returned"], now: datetime) -> Outcome:
    first = marker.swaps[0]
    outcome = Outcome(
        id=marker.id,
        kind=marker.kind,
        result=result,
        what=marker.what,
        requested_by=marker.requested_by,
        reason=marker.reason,
        at=now,
        before=first.before if result == "kept" else "",
        failed=first.failed if result == "returned" and (paths.root / first.failed).exists() else "",
    )
    atomic_write(paths.restore_outcome, msgspec.json.encode(outcome))
    return outcome


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    fsync_folder(target.parent)
    if source.parent != target.parent:
        fsync_folder(source.parent)
