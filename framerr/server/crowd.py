"""Who gives way when too many connections are open, and who waits too long. Pure.

An open connection costs its owner nothing and the appliance a place, and what it sends lies on the disk until it is
whole. Nobody is turned away for coming late: the connection that has waited longest gives way, of the origin that holds
most of them. So whoever fills all places only loses their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How many connections there are, how many of one origin, how many of them with a large body on the disk; how many
    seconds one may be silent within a request, and how many a request may take to arrive.
    """

    connections: int = 500
    of_one_origin: int = 100
    bodies: int = 16
    silent: float = 30
    arriving: float = 600


@dataclass(frozen=True)
class Guest:
    """A connection. It `waits` while nothing is being done for it or sent to it; `since` is when its request began, or
    when it was opened; `has_body` when much of a body is kept for it.
    """

    number: int
    origin: str
    since: float
    waits: bool
    has_body: bool = False


def giving_way(guests: Sequence[Guest], newest: Guest, limits: Limits, *, is_exempt: bool) -> set[int]:
    """The numbers of those who give way now that `newest`, one of `guests`, came or sent much.

    `is_exempt` says that its origin speaks for many people, as a reverse proxy does.
    """
    groups: list[tuple[Iterable[Guest], int]] = [
        (guests, limits.connections),
        ([guest for guest in guests if guest.has_body], limits.bodies),
    ]
    if not is_exempt:
        groups.append(([guest for guest in guests if guest.origin == newest.origin], limits.of_one_origin))
    return {found.number for group, most in groups if (found := _surplus(list(group), most)) is not None}


def is_late(*, silent: float, arriving: float, headers_finished: bool, limits: Limits) -> bool:
    """Whether a request that is not whole yet took too long: nothing came for a while, or its beginning never ends, or
    all of it lasts too long, however steadily it drips.
    """
    return silent > limits.silent or arriving > (limits.arriving if headers_finished else limits.silent)


def _surplus(group: list[Guest], most: int) -> Guest | None:
    if len(group) <= most:
        return None
    waiting = [guest for guest in group if guest.waits]
    held = Counter(guest.origin for guest in waiting)
    return min(waiting, key=lambda guest: (-held[guest.origin], guest.since), default=None)
