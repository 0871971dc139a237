"""One running process: the order of booting, what runs meanwhile, and the order of leaving.

Promise: nothing is open when `serve` returns or executes itself anew; every refusal is a sentence and an exit code.
Prohibitions: decides nothing about the product; each line of the lists below is done by the part it names.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from datetime import datetime

from framerr.appliance import Appliance, boot, folder
from framerr.appliance.holding import require_owner
from framerr.backups import swap
from framerr.core.clock import utcnow
from framerr.core.config import Settings
from framerr.core.errors import Corrupt
from framerr.core.lock import FolderLock
from framerr.core.paths import Paths
from framerr.observability import logs
from framerr.server import greeting, http, probation
from framerr.server.parts import Parts
from framerr.server.signals import Signals
from framerr.server.trial import Trial
from framerr.tasks import recovery

log = logging.getLogger(__name__)
LOOK_EVERY = 0.5
Fill = Callable[[Appliance], None]


def serve(settings: Settings, fill: Fill | None = None) -> int:
    """Run the appliance until it is asked to end; returns the exit code. A restart does not return.

    `fill` gets the appliance before it answers. Raises the FramerrError that keeps it from booting.
    """
    logs.configure(settings.log_format, settings.log_level)
    signals = Signals()
    paths = Paths(settings.config_dir)
    require_owner(paths)
    bound = http.bind(settings)
    lock = folder.open_folder(paths)
    try:
        again = _boot_and_live(settings, paths, lock, bound, signals, fill)
    finally:
        lock.release()
        bound.close()
    if again:
        _execute_anew()
    return 0


def _boot_and_live(
    settings: Settings, paths: Paths, lock: FolderLock, bound: socket.socket, signals: Signals, fill: Fill | None
) -> bool:
    """Whether to execute anew: after a restart was asked for, or the previous state was given back."""
    now = utcnow()
    trial = swap.begin_boot(paths, now)
    if trial is not None:
        log.info("On trial, start %d: the %s of %s", trial.boot, trial.kind, trial.what)
    folder.sweep(paths)
    appliance = boot.open_instance(settings, paths, now, on_trial=trial is not None)
    if appliance is None:
        return True
    try:
        if not _recovered(appliance, now, on_trial=trial is not None):
            return True
        if fill is not None:
            fill(appliance)
        greeting.say(appliance)
        parts = Parts(appliance, lock, bound)
        signals.booted()
        try:
            parts.start()
            _live(appliance, signals, Trial(since=time.monotonic()) if trial else None)
        finally:
            parts.stop(settings.shutdown_grace)
        return appliance.lifecycle.restart_reason is not None and signals.received is None
    finally:
        appliance.db.close()


def _recovered(appliance: Appliance, now: datetime, *, on_trial: bool) -> bool:
    """Whether to go on: a state on trial that cannot be recovered gives way, one that was proven is lived with."""
    try:
        recovery.recover(appliance, now)
    except Corrupt as error:
        if on_trial:
            log.error("The restored state gives way to the previous one. %s", error.message)  # noqa: TRY400 - the sentence says it all
            swap.ask_return(appliance.paths, error.message)
            return False
        log.error("What the last process left is not put right. %s", error.message)  # noqa: TRY400 - the sentence says it all
    return True


def _live(appliance: Appliance, signals: Signals, trial: Trial | None) -> None:
    """Wait for the end; meanwhile judge a restored state that is on trial."""
    while not appliance.lifecycle.wait(LOOK_EVERY) and not signals.received:
        if trial is not None and probation.judged(appliance, trial):
            trial = None
    if signals.received:
        log.info("Stopping: %s", signals.received)
    else:
        log.info("Starting anew: %s", appliance.lifecycle.restart_reason or "asked to stop")
    if trial is not None:
        probation.end_politely(appliance)


def _execute_anew() -> None:
    """Become a new process of the same command: never exit and hope for a restart policy."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the very command that runs now
