"""Which backups go when there are more than Max (R-002-11, R-002-36 to R-002-39). Pure: nothing is read or deleted here.

Age is the serial number, never a file time or a clock, so a clock that jumps deletes nothing (T29). An archive of
another instance counts as older than all of our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from framerr.core.errors import InvalidInput

SMALLEST, LARGEST = 1, 30
COUNTED_TYPES = frozenset({"manual", "scheduled"})
_FUTURE = timedelta(days=1)
_LARGE_COUNT = 20
_FEW = 5
_LONG_PAUSE = timedelta(days=32)


@dataclass(frozen=True)
class Archive:
    """What retention must know of one file. `own`: made by this instance. `state` as in the list of backups."""

    uid: str
    type: str
    serial: int
    created_at: datetime
    state: str
    own: bool = True
    pinned: bool = False


@dataclass(frozen=True)
class Policy:
    """How many are kept, and the zone the schedule is told in."""

    maximum: int
    time_zone: str


@dataclass(frozen=True)
class LastPrune:
    at: datetime
    policy: Policy


@dataclass(frozen=True)
class Decision:
    """`reason` is a sentence without subject, for the list: "Pinned by a person", "Number 3 of 7 kept"."""

    uid: str
    keep: bool
    reason: str
    counted: bool
    from_the_future: bool


@dataclass(frozen=True)
class Plan:
    """One decision for every archive, newest first. `held` is the sentence that says why nothing goes without a yes."""

    decisions: tuple[Decision, ...]
    held: str | None

    @property
    def goes(self) -> tuple[str, ...]:
        """The uids to delete, oldest first, whether held or not."""
        return tuple(decision.uid for decision in reversed(self.decisions) if not decision.keep)

    @property
    def counted(self) -> int:
        return sum(decision.counted for decision in self.decisions)


def check_maximum(maximum: object) -> int:
    """Raises InvalidInput unless `maximum` is a whole number from 1 to 30 (R-002-10, T31); nothing means "all" here."""
    if isinstance(maximum, bool) or not isinstance(maximum, int) or not SMALLEST <= maximum <= LARGEST:
        raise InvalidInput(
            f"Max backups must be a whole number from {SMALLEST} to {LARGEST}, not {maximum!r}.", field="max"
        )
    return maximum


def plan(
    archives: Iterable[Archive],
    policy: Policy,
    *,
    just_made: str | None = None,
    last: LastPrune | None = None,
    now: datetime,
) -> Plan:
    """Decide about every archive: unpinned manual and scheduled ones above the maximum go, oldest first.

    Never goes: safety copies, pinned ones, `just_made`, the newest good one, files that are damaged or not ours to
    judge. Raises InvalidInput for a maximum outside 1 to 30.
    """
    maximum = check_maximum(policy.maximum)
    ordered = sorted(archives, key=_age)
    counted = [archive for archive in ordered if is_counted(archive)]
    spared = {just_made, _newest_good(counted)}
    surplus = len(counted) - maximum
    goes = {archive.uid for archive in [one for one in counted if one.uid not in spared][: max(0, surplus)]}
    rank = {archive.uid: place for place, archive in enumerate(reversed(counted), start=1)}
    decisions = tuple(
        Decision(
            uid=archive.uid,
            keep=archive.uid not in goes,
            reason=_reason(archive, rank.get(archive.uid), maximum, goes=archive.uid in goes),
            counted=archive.uid in rank,
            from_the_future=archive.created_at - now > _FUTURE,
        )
        for archive in reversed(ordered)
    )
    return Plan(decisions, _hold(len(goes), len(counted), policy, last, now))


def is_counted(archive: Archive) -> bool:
    """Whether an archive is one of the Max that are kept."""
    return archive.type in COUNTED_TYPES and not archive.pinned and archive.state in {"good", "unverified"}


def _age(archive: Archive) -> tuple[bool, int, datetime, str]:
    return archive.own, archive.serial, archive.created_at, archive.uid


def _newest_good(ordered: Sequence[Archive]) -> str | None:
    good = [archive.uid for archive in ordered if archive.state == "good" and archive.own]
    good = good or [archive.uid for archive in ordered if archive.state == "good"]
    return good[-1] if good else None


def _reason(archive: Archive, rank: int | None, maximum: int, *, goes: bool) -> str:
    if goes:
        return f"Oldest above the {maximum} that are kept"
    if rank is None:
        return f"{_why_uncounted(archive)}: not counted, never deleted automatically"
    if rank > maximum:
        return "The newest good backup, or the one just made: never deleted automatically"
    return f"Number {rank} of the {maximum} that are kept"


def _why_uncounted(archive: Archive) -> str:
    if archive.state == "foreign":
        return "Not a backup this version can use"
    if archive.type == "safety":
        return "Safety copy"
    return "Pinned" if archive.pinned else "Damaged"


def _hold(going: int, counted: int, policy: Policy, last: LastPrune | None, now: datetime) -> str | None:
    """A large prune waits for a person when policy, zone or clock changed, or files came that no schedule made (T33).

    A steady schedule never gets here: it adds one and deletes one. More than that waits where nothing was deleted before:
    a folder that came from elsewhere is not known well enough.
    """
    if (last is not None or going <= 1) and going <= _LARGE_COUNT and going * 2 <= counted:
        return None
    why = _changed(policy, last, now)
    if why is None and going <= _FEW:
        return None
    why = why or "more are here than the schedule makes: some were copied in, or are not pinned any more"
    return (
        f"{going} of {counted} backups would be deleted at once, and {why}. Nothing is deleted until that is confirmed."
    )


def _changed(policy: Policy, last: LastPrune | None, now: datetime) -> str | None:
    if last is None:
        return "old backups were never deleted here before"
    if policy.maximum != last.policy.maximum:
        return f"Max backups was changed from {last.policy.maximum} to {policy.maximum}"
    if policy.time_zone != last.policy.time_zone:
        return f"the time zone was changed from {last.policy.time_zone} to {policy.time_zone}"
    if now < last.at:
        return "the clock of the server went back"
    if now - last.at > _LONG_PAUSE:
        return "old backups were last deleted more than a month ago, or the clock of the server jumped"
    return None
