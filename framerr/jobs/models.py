"""The tables: what is to run when, what runs, and what ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from framerr.core.db import Base, Fate, Json, UtcDateTime, fate, new_uid
from framerr.jobs.calendar import Frequency, Rule

Trigger = Literal["manual", "schedule", "catch-up", "retry", "system"]
State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
Unit = Literal["bytes", "files", "steps", ""]
Level = Literal["info", "warn", "error"]

OPEN: Final = "state in ('queued', 'running')"
_CLOSED: Final = "state not in ('queued', 'running')"
_OF_CLOSED: Final = "run_id in (select id from runs where state not in ('queued', 'running'))"


class Run(Base):
    """One piece of work: queued, claimed, progressing, finished and shown. The queue is the history.

    `kind` names the task, `subject` what it is about; there is one open Run per pair. `resource` is what it must have
    for itself while it runs; one Run per resource runs at a time. Both rules are indexes, so no code can break them.
    `step` of `steps` are stages ("Step 3 of 5"); `done` of `total` (0 when unknown) is the progress within the stage.
    `cancellable` is false while the task is past a point where it could stop.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("uq_runs_open", "kind", "subject", unique=True, sqlite_where=text(OPEN)),
        Index("uq_runs_running_resource", "resource", unique=True, sqlite_where=text("state = 'running'")),
        CheckConstraint("state in ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')", name="state"),
        CheckConstraint("trigger in ('manual', 'schedule', 'catch-up', 'retry', 'system')", name="trigger"),
        {"info": fate(Fate.KEEP, "Unfinished runs", "what was waiting or under way", keep_where=_CLOSED)},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(24), unique=True, default=new_uid)
    kind: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(120), default="")
    resource: Mapped[str | None] = mapped_column(String(120))
    trigger: Mapped[Trigger] = mapped_column(String(12))
    requested_by: Mapped[str | None] = mapped_column(String(120))
    params: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    state: Mapped[State] = mapped_column(String(12), default="queued")
    stage: Mapped[str] = mapped_column(String(120), default="")
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    unit: Mapped[Unit] = mapped_column(String(12), default="")
    attempt: Mapped[int] = mapped_column(default=1)
    cancellable: Mapped[bool] = mapped_column(default=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(40))

    @property
    def is_open(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def percent(self) -> int | None:
        """Of the stage, 0 to 100; None when its size is not known."""
        return min(100, self.done * 100 // self.total) if self.total > 0 else None


class RunLine(Base):
    """One line of a Run's log, for people. It goes when its Run goes."""

    __tablename__ = "run_lines"
    __table_args__ = (
        Index("ix_run_lines_run_id", "run_id"),
        CheckConstraint("level in ('info', 'warn', 'error')", name="level"),
        {"info": fate(Fate.KEEP, keep_where=_OF_CLOSED)},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    level: Mapped[Level] = mapped_column(String(12), default="info")
    text: Mapped[str] = mapped_column(Text)


class Schedule(Base):
    """When a kind of work is due. `next_due_at` is the one truth; it is None only when the schedule is off."""

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("frequency in ('off', 'daily', 'weekly')", name="frequency"),
        CheckConstraint("hour between 0 and 23", name="hour"),
        CheckConstraint("(frequency = 'weekly') = (weekday is not null)", name="weekday"),
        {"info": fate(Fate.KEEP, "Schedules", "when the daily and weekly work is due")},
    )

    kind: Mapped[str] = mapped_column(String(60), primary_key=True)
    subject: Mapped[str] = mapped_column(String(120), primary_key=True, default="")
    frequency: Mapped[Frequency] = mapped_column(String(12))
    hour: Mapped[int]
    weekday: Mapped[int | None]
    next_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def rule(self) -> Rule:
        return Rule(self.frequency, self.hour, self.weekday)
