"""Carrying out the judgement over a restored state on trial, and what a polite end means for it.

Promise: trouble with the folder at such a moment is logged; the state is on trial as before, and judged again.
"""

from __future__ import annotations

import logging
import time

from framerr.appliance import Appliance
from framerr.backups import swap
from framerr.console.health import ask_ready
from framerr.core.clock import utcnow
from framerr.core.errors import Unavailable
from framerr.server.trial import Trial
from framerr.tasks import recovery

log = logging.getLogger(__name__)


def judged(appliance: Appliance, trial: Trial) -> bool:
    """Look once; whether the trial is over, one way or the other."""
    finding = ask_ready(appliance.settings)
    was_ready = trial.was_ready
    verdict = trial.judge(ready=finding is None, at=time.monotonic())
    try:
        if verdict == "confirm":
            recovery.keep(appliance, utcnow())
            log.info("The restored state was ready for a minute, so it stays")
        elif verdict == "give back":
            log.error("The restored state gives way to the previous one: %s", finding)
            reason = f"The restored state was not ready for a minute. {finding}"
            swap.ask_return(appliance.paths, reason)
            appliance.lifecycle.request_restart(reason)
        elif trial.was_ready and not was_ready:
            swap.note_ready(appliance.paths)
    except Unavailable as error:
        log.warning("The trial of the restored state begins anew. %s", error.message)
        trial.since = time.monotonic()
        return False
    return verdict is not None


def end_politely(appliance: Appliance) -> None:
    """Somebody ends this process during a trial. When it is ready, that says nothing against the restored state."""
    if ask_ready(appliance.settings) is not None:
        return
    try:
        swap.uncount(appliance.paths)
    except Unavailable as error:
        log.warning("This start counts against the restored state. %s", error.message)
