"""How safe the configuration is, in one line: from backups, the last run and the schedule to words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from framerr.backups.models import Backup
from framerr.core.files import size_in_words
from framerr.jobs.models import Run, Schedule
from framerr.web.filters import count

# How old the newest good backup may be before the page says so: the schedule's own distance and a day for bad luck.
_PATIENCE: Final = {"daily": timedelta(days=2), "weekly": timedelta(days=8), "off": timedelta(days=8)}


@dataclass(frozen=True)
class Facts:
    """What is known: the newest good backup, how many count and may be kept, the newest backup run, the schedule;
    why the folder of backups cannot be looked into, or the empty text; and whether the key is missing."""

    unseen: str
    newest: Backup | None
    kept: int
    most: int
    last_run: Run | None
    schedule: Schedule | None
    is_locked: bool = False


@dataclass(frozen=True)
class Safety:
    """`answer` is the page's first line, `title` and `detail` the status line; `needs_backup` offers to make one now."""

    kind: Literal["safe", "warn", "lost"]
    answer: str
    title: str
    detail: str
    needs_backup: bool


def judge(facts: Facts, now: datetime, tell: Callable[[datetime], str]) -> Safety:
    """`tell` writes a moment for the person who looks (`filters.in_words`)."""
    run = facts.last_run
    if facts.unseen or facts.is_locked:
        return _blocked(facts, tell)
    if run is not None and run.is_open:
        return _under_way(facts, tell)
    if run is not None and run.state in {"failed", "interrupted"} and _is_newer(run, facts.newest):
        return _failed(facts, run, tell)
    if facts.newest is None:
        detail = f"The first one is made {_next(facts, tell)}." if _next(facts, tell) else "The schedule is off."
        return Safety("warn", "Not yet: there is no backup of this appliance.", "No backup yet", detail, True)
    age = now - facts.newest.created_at
    if age > _PATIENCE[facts.schedule.frequency if facts.schedule else "off"]:
        return _old(facts, facts.newest, age, tell)
    return _good(facts, facts.newest, tell)


def _blocked(facts: Facts, tell: Callable[[datetime], str]) -> Safety:
    if facts.unseen:
        return Safety("lost", "It is not known: backups cannot be seen.", "Backups cannot be seen", facts.unseen, False)
    newest = facts.newest
    last = f"The last good one is from {tell(newest.created_at)}." if newest else "There is none yet."
    return Safety(
        "lost",
        f"No: the key is missing, so no backups are made. {last}",
        "No backups are made",
        f"The key is missing. {last}",
        needs_backup=False,
    )


def _good(facts: Facts, newest: Backup, tell: Callable[[datetime], str]) -> Safety:
    made, following = tell(newest.created_at), _next(facts, tell)
    then = f", and the next is {following}." if following else ". The schedule is off, so the next is made by hand."
    return Safety(
        "safe",
        f"Yes: the last good backup is from {made}{then}",
        f"Last good backup {made}, verified, {size_in_words(newest.size)}",
        f"{_next_sentence(facts, tell)} {_kept(facts)}",
        needs_backup=False,
    )


def _old(facts: Facts, newest: Backup, age: timedelta, tell: Callable[[datetime], str]) -> Safety:
    days = count(age.days, "day")
    return Safety(
        "warn",
        f"Not quite: the last good backup is {days} old.",
        f"The last good backup is {days} old",
        f"It is from {tell(newest.created_at)}. {_next_sentence(facts, tell)}",
        needs_backup=True,
    )


def _failed(facts: Facts, run: Run, tell: Callable[[datetime], str]) -> Safety:
    newest = facts.newest
    still = f"The newest good one is {tell(newest.created_at)}." if newest else "There is no good one yet."
    when = tell(run.finished_at or run.created_at)
    word = "failed" if run.state == "failed" else "was interrupted"
    return Safety(
        "lost",
        f"No: the backup of {when} {word}. {still}",
        f"The backup of {when} {word}",
        f"{run.error or 'Its log has the details.'} {still}",
        needs_backup=True,
    )


def _under_way(facts: Facts, tell: Callable[[datetime], str]) -> Safety:
    newest = facts.newest
    if newest is None:
        return Safety(
            "warn",
            "A backup is being made now. It is the first one.",
            "No backup yet",
            "The first one is being made now.",
            False,
        )
    made = tell(newest.created_at)
    return Safety(
        "safe",
        f"A backup is being made now. The last good one is from {made}.",
        f"Last good backup {made}, verified, {size_in_words(newest.size)}",
        f"Another one is being made now. {_kept(facts)}",
        needs_backup=False,
    )


def _is_newer(run: Run, newest: Backup | None) -> bool:
    return newest is None or (run.finished_at or run.created_at) > (newest.verified_at or newest.created_at)


def _next(facts: Facts, tell: Callable[[datetime], str]) -> str:
    due = facts.schedule.next_due_at if facts.schedule else None
    return tell(due) if due else ""


def _next_sentence(facts: Facts, tell: Callable[[datetime], str]) -> str:
    following = _next(facts, tell)
    return f"Next {following}." if following else "The schedule is off."


def _kept(facts: Facts) -> str:
    return f"{facts.kept} of {facts.most} kept."
