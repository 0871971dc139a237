"""What follows from the end of a Run, in the transaction that ends it: an event, a retry."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from framerr.backups import models as backups
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.observability import events
from framerr.observability.models import Level

RETRY_AFTER: Final = (timedelta(minutes=5), timedelta(minutes=30), timedelta(minutes=120))
SCHEDULED: Final = frozenset({"schedule", "catch-up", "retry"})


def on_outcome(session: Session, run: Run, now: datetime) -> None:
    """Record a Run that did not end well as an event; try a scheduled backup again after 5, 30 and 120 minutes.

    A person's cancel is neither. An interrupted scheduled backup is tried again like a failed one: its due time is past.
    """
    if run.state not in {"failed", "interrupted"}:
        return
    again = _retry(session, run, now)
    level: Level = "error" if run.state == "failed" else "warn"
    kind = backups.FAILED if run.kind == "backup" else f"run.{run.state}"
    text = run.error or f"It was {run.state}."
    if again is not None and again.not_before is not None:
        text += f" It is tried again in {round((again.not_before - now).total_seconds() / 60)} minutes."
    events.record(session, kind, level=level, text=text, subject=run.kind, data={"run": run.uid}, now=now)


def _retry(session: Session, run: Run, now: datetime) -> Run | None:
    if run.kind != "backup" or run.trigger not in SCHEDULED or run.attempt > len(RETRY_AFTER):
        return None
    again, _ = queue.enqueue(
        session,
        run.kind,
        subject=run.subject,
        resource=run.resource,
        params=run.params,
        trigger="retry",
        not_before=now + RETRY_AFTER[run.attempt - 1],
        due_at=run.due_at,
        attempt=run.attempt + 1,
        now=now,
    )
    return again
