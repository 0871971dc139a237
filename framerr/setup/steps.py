"""Which step of the wizard is next, decided from what is known. Pure.

Welcome asks for the setup code when there is one to ask for; then exactly two ways (R-002-28): Start Fresh and Restore
from Backup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Track = Literal["fresh", "restore"]
Step = Literal["code", "choice", "account", "instance", "schedule", "upload", "contents", "restoring", "done"]

_FRESH: Final[tuple[Step, ...]] = ("account", "instance", "schedule")
_RESTORE: Final[tuple[Step, ...]] = ("upload", "contents", "restoring")


@dataclass(frozen=True)
class Facts:
    """What has happened so far. `has_users` ends the wizard, whatever else is said."""

    has_users: bool = False
    asks_code: bool = True
    code_proven: bool = False
    track: Track | None = None
    account_given: bool = False
    instance_given: bool = False
    archive_uploaded: bool = False
    restore_started: bool = False


def next_step(facts: Facts) -> Step:
    """The first step whose answer is missing. The schedule is the last of Start Fresh: answering it makes the users."""
    if facts.has_users:
        return "done"
    if facts.asks_code and not facts.code_proven:
        return "code"
    if facts.track is None:
        return "choice"
    return _in_fresh(facts) if facts.track == "fresh" else _in_restore(facts)


def may_visit(step: Step, facts: Facts) -> bool:
    """Whether a page may be shown: the next step, and those before it on the way taken (Back), but nothing once a
    restore runs or the wizard is over.
    """
    following = next_step(facts)
    if following in {"done", "restoring"}:
        return step == following
    way = trail(facts)
    return step in way and way.index(step) <= way.index(following)


def trail(facts: Facts) -> tuple[Step, ...]:
    """The steps of the way taken, in order, for the dots. Before the choice, the way is that of Start Fresh."""
    start: tuple[Step, ...] = ("code", "choice") if facts.asks_code else ("choice",)
    return start + (_RESTORE if facts.track == "restore" else _FRESH)


def position(step: Step, facts: Facts) -> tuple[int, int]:
    """Which dot of how many a step is, counted from 1; after the end, the last."""
    way = trail(facts)
    return (way.index(step) + 1 if step in way else len(way)), len(way)


def _in_fresh(facts: Facts) -> Step:
    if not facts.account_given:
        return "account"
    return "schedule" if facts.instance_given else "instance"


def _in_restore(facts: Facts) -> Step:
    if facts.restore_started:
        return "restoring"
    return "contents" if facts.archive_uploaded else "upload"
