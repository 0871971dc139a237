"""The one door for commands: the folder lock decides whether an action is done here or asked of its holder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from framerr import tasks
from framerr.appliance import Appliance, boot, folder
from framerr.appliance.holding import is_held, require_owner
from framerr.backups import swap
from framerr.console import client, desk, rescue, wire
from framerr.console.actions import ACTIONS
from framerr.core.clock import utcnow
from framerr.core.config import Settings
from framerr.core.errors import Conflict, Corrupt, Incompatible, InvalidInput
from framerr.core.paths import Paths
from framerr.jobs.runner import Runner
from framerr.tasks import recovery

Emit = Callable[[wire.News], None]


def perform(settings: Settings, action: str, params: Mapping[str, Any], emit: Emit) -> Any:
    """Do an action of the table and return its result; `emit` hears the news of the Run behind it, if there is one.

    Raises what the action raises, Unavailable when the process that holds the folder cannot be asked, and Forbidden for
    root on a stopped instance of somebody else. After a
    restore or reset of a stopped instance the new state is in place, on trial, for the next start.
    """
    if action not in ACTIONS:
        raise InvalidInput(f"There is no action named {action}. Known are: {', '.join(ACTIONS)}.")
    paths = Paths(settings.config_dir)
    if not is_held(paths.lock):
        require_owner(paths)
    try:
        lock = folder.open_folder(paths)
    except Conflict:
        return client.ask(paths, action, params, emit)
    try:
        return _here(settings, paths, action, params, emit)
    finally:
        lock.release()


def _here(settings: Settings, paths: Paths, action: str, params: Mapping[str, Any], emit: Emit) -> Any:
    """The same on a stopped instance, between two starts of it: what is prepared is applied, no boot is counted."""
    swap.apply_pending(paths, utcnow())
    folder.sweep(paths)
    try:
        appliance = _opened(settings, paths)
    except (Corrupt, Incompatible) as error:
        if action not in rescue.RESCUES:
            raise
        emit(wire.Noted("warn", error.message))
        result = rescue.RESCUES[action](settings, paths, params, utcnow())
    else:
        result = _at_desk(appliance, action, params, emit)
    swap.apply_pending(paths, utcnow())
    return result


def _opened(settings: Settings, paths: Paths) -> Appliance:
    """The appliance with what the last process left put right. Raises Corrupt or Incompatible when it cannot be used."""
    appliance = boot.open_instance(settings, paths, utcnow())
    assert appliance is not None, "only a boot gives a state on trial back"
    try:
        recovery.recover(appliance, utcnow())
    except BaseException:
        appliance.db.close()
        raise
    return appliance


def _at_desk(appliance: Appliance, action: str, params: Mapping[str, Any], emit: Emit) -> desk.Result:
    """Do the action on the open instance, and close it."""

    def tell(line: wire.Progressed | wire.Noted | wire.Beat) -> None:
        if not isinstance(line, wire.Beat):
            emit(line)

    try:
        runner = Runner(appliance.db, tasks.table(appliance), on_outcome=tasks.on_outcome)
        return ACTIONS[action].do(desk.alone(appliance, runner, tell), params)
    finally:
        appliance.db.close()
