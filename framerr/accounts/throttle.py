"""How long the next attempt to sign in has to wait, decided from the failures of the last hour. Pure.

Three counts grow a delay: this account from this network, this network whatever the account, and, gently, this account
from everywhere. The third only adds to the patience asked of a network that has failed on the account itself, and every
delay counts from that network's own last failure: so strangers cannot keep the owner out, who from a quiet address with
the right password never waits. What is not known to exist waits like what is, so waiting tells nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

MEMORY = timedelta(hours=1)
# Failures dated a little ahead come from another thread's clock reading; further ahead, from a clock that was wrong.
SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Failure:
    """One failed attempt: `account` and `network` as `account_digest` and `network_of` write them."""

    at: datetime
    account: str
    network: str


@dataclass(frozen=True)
class Growth:
    """No delay for the first `free` failures, then `first` seconds, doubling up to `longest`."""

    free: int
    first: float
    longest: float

    def delay(self, failures: int) -> float:
        if failures <= self.free:
            return 0.0
        return min(self.longest, self.first * 2.0 ** min(failures - self.free - 1, 30))


PAIR = Growth(free=3, first=2, longest=300)
NETWORK = Growth(free=10, first=2, longest=900)
ACCOUNT = Growth(free=20, first=1, longest=30)


def account_digest(username: str) -> str:
    """The account an attempt was for, unreadable: people type passwords into the name field."""
    return hashlib.sha256(username.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()


def network_of(address: str) -> str:
    """What counts as one origin: an IPv4 address, the /64 an IPv6 address lies in, or the text itself."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def seconds_to_wait(failures: Iterable[Failure], *, account: str, network: str, now: datetime) -> float:
    """Seconds until `network` may try `account` (again); 0 for at once. Failures older than an hour are forgotten."""
    recent = [failure for failure in failures if now - MEMORY < failure.at <= now + SKEW]
    here = [failure for failure in recent if failure.network == network]
    pair = [failure for failure in here if failure.account == account]
    everywhere = [failure for failure in recent if failure.account == account]
    of_pair = max(PAIR.delay(len(pair)), ACCOUNT.delay(len(everywhere)))
    return max(_remaining(pair, of_pair, now), _remaining(here, NETWORK.delay(len(here)), now))


def _remaining(own: list[Failure], delay: float, now: datetime) -> float:
    if not own or delay == 0.0:
        return 0.0
    since = (now - max(failure.at for failure in own)).total_seconds()
    return max(0.0, delay - max(0.0, since))
