"""Kinds of work: one thin adapter per kind between a Run and the room that does it.

Promise: `table` names every kind; what a kind does is decided in its room. Prohibitions: knows no HTTP and no thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Final

from framerr.appliance import Appliance
from framerr.core.errors import Forbidden
from framerr.jobs import schedules
from framerr.jobs.runner import RunContext, Task
from framerr.tasks import archives, housekeeping, restoring
from framerr.tasks.outcome import on_outcome

__all__ = ["on_outcome", "table", "tick"]

Work = Mapping[str, object] | None
ApplianceTask = Callable[[Appliance, RunContext], Work]
LOOK_EVERY: Final = 0.5
# The backups folder, the staging folder and the live state are one thing: these run one at a time, whoever queued them.
ONE_AT_A_TIME: Final = frozenset({"backup", "verify", "adopt", "restore", "reset"})
# What may run while the key is missing: the ways out.
ALLOWED_WHEN_LOCKED: Final = frozenset({"restore", "reset"})


def table(appliance: Appliance) -> dict[str, Task]:
    """Kind to function, for a runner."""
    kinds = {
        "backup": archives.back_up,
        "verify": archives.verify_listed,
        "adopt": archives.adopt_upload,
        "restore": restoring.restore_archive,
        "reset": restoring.reset_instance,
        "housekeeping": housekeeping.keep_house,
    }
    turn = Lock()
    return {
        kind: partial(_do, appliance, task, turn if kind in ONE_AT_A_TIME else None) for kind, task in kinds.items()
    }


def tick(appliance: Appliance, now: datetime) -> None:
    """Queue what is due; while the instance is locked, nothing is."""
    if appliance.locked:
        return
    zone = appliance.zone()
    with appliance.db.writing() as session:
        queued = schedules.tick(session, zone, now, {})
    if queued:
        appliance.lifecycle.wake()


def _do(appliance: Appliance, task: ApplianceTask, turn: Lock | None, context: RunContext) -> Work:
    """Do a task when it may run, and when it is its turn."""
    if appliance.locked and context.kind not in ALLOWED_WHEN_LOCKED:
        raise Forbidden(appliance.locked)
    if turn is None:
        return task(appliance, context)
    if not turn.acquire(blocking=False):
        context.progress.stage("Waiting for another job with backups")
        while not turn.acquire(timeout=LOOK_EVERY):
            context.progress.check()
    try:
        return task(appliance, context)
    finally:
        turn.release()
