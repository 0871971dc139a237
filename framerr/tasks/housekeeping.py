"""The daily job: what is over is removed, so that nothing grows without an end."""

from __future__ import annotations

from collections.abc import Mapping

from framerr.accounts import sessions
from framerr.appliance import Appliance
from framerr.backups import swap
from framerr.core import uploads
from framerr.jobs import queue
from framerr.jobs.runner import RunContext


def keep_house(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Remove expired sessions, old failures to sign in, old Runs, uploads left alone, and the state before a restore.

    Raises Unavailable when a folder cannot be cleaned; what was removed until then stays removed.
    """
    context.progress.stage("Tidying the database")
    with appliance.db.writing() as session:
        ended = sessions.purge_expired(session, context.now)
        forgotten = queue.prune(session, context.now)
    context.progress.stage("Removing what was left behind")
    stale = uploads.sweep(appliance.paths, context.now)
    retired = swap.retire_before(appliance.paths, context.now, older_than=swap.KEPT_BEFORE)
    return {"sessions": ended, "runs": forgotten, "uploads": stale, "previous_state": retired}
