"""Delays grow for who guesses, and never for the owner on a quiet address (issue 2, Accounts)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framerr.accounts.throttle import (
    ACCOUNT,
    NETWORK,
    PAIR,
    SKEW,
    Failure,
    Growth,
    account_digest,
    network_of,
    seconds_to_wait,
)
from tests.accounts.people import NOW

ALICE, BOB = account_digest("alice"), account_digest("bob")
LONGEST = max(PAIR.longest, NETWORK.longest, ACCOUNT.longest)


def failures(count: int, *, account: str = ALICE, network: str = "198.51.100.66", ago: float = 0) -> list[Failure]:
    return [Failure(NOW - timedelta(seconds=ago), account, network)] * count


def wait(known: list[Failure], *, account: str = ALICE, network: str = "198.51.100.66", now: datetime = NOW) -> float:
    return seconds_to_wait(known, account=account, network=network, now=now)


@pytest.mark.parametrize(
    ("count", "seconds"),
    [(0, 0), (1, 0), (3, 0), (4, 2), (5, 4), (6, 8), (10, 128), (11, 256), (12, 300), (10**4, 900)],
)
def test_delays_of_one_guesser_double(count: int, seconds: float) -> None:
    assert wait(failures(count)) == seconds


def test_waiting_counts_down() -> None:
    assert wait(failures(6, ago=5)) == 3
    assert wait(failures(6, ago=8)) == 0


def test_many_accounts_from_one_network_slow_down_too() -> None:
    spread = [Failure(NOW, account_digest(f"user{n}"), "198.51.100.66") for n in range(11)]

    assert wait(spread, account=BOB) == 2
    assert wait(spread, account=BOB, network="192.0.2.10") == 0


def test_a_crowd_guessing_one_account_meets_impatience_after_one_failure_each() -> None:
    crowd = [Failure(NOW, ALICE, f"203.0.113.{n}") for n in range(30)]

    assert wait(crowd, network="203.0.113.7") == 30
    assert wait(crowd, network="203.0.113.200") == 0


def test_the_gentle_delay_counts_from_ones_own_failure_so_strangers_cannot_keep_it_going() -> None:
    mistyped = failures(1, network="192.0.2.10", ago=31)
    crowd = [Failure(NOW, ALICE, f"203.0.113.{n}") for n in range(200)]

    assert wait([*crowd, *mistyped], network="192.0.2.10") == 0


def test_after_an_hour_all_is_forgotten() -> None:
    assert wait(failures(10**3, ago=3600)) == 0
    assert wait(failures(10**3, ago=3599)) == 0  # the longest delay is over long before
    assert wait(failures(12, ago=100)) == 200


def test_failures_dated_ahead_by_a_wrong_clock_do_not_count() -> None:
    """The clock ran 400 days ahead and came back (T29): nobody waits for 400 days."""
    assert wait(failures(50, ago=-400 * 86400)) == 0
    assert wait(failures(5, ago=-SKEW.total_seconds())) == 4


moments = st.integers(-4000, 400).map(lambda seconds: NOW + timedelta(seconds=seconds))
some = st.builds(
    Failure,
    at=moments,
    account=st.sampled_from([ALICE, BOB]),
    network=st.sampled_from(["192.0.2.10", "198.51.100.66", "203.0.113.1"]),
)


@given(st.lists(some, max_size=60))
def test_a_quiet_address_never_waits(known: list[Failure]) -> None:
    assert wait(known, network="192.0.2.99") == 0


@given(st.lists(some, max_size=60))
def test_waiting_is_bounded(known: list[Failure]) -> None:
    assert 0 <= wait(known) <= LONGEST


@given(st.lists(some, max_size=40), some)
def test_another_failure_never_shortens_the_wait(known: list[Failure], another: Failure) -> None:
    assert wait([*known, another]) >= wait(known)


@given(st.lists(some, max_size=40), st.integers(0, 5000))
def test_time_alone_never_lengthens_the_wait_nor_passes_slower_than_the_clock(
    known: list[Failure], seconds: int
) -> None:
    past = [failure for failure in known if failure.at <= NOW]

    later = wait(past, now=NOW + timedelta(seconds=seconds))

    assert later <= max(0.0, wait(past) - seconds)


@given(st.integers(0, 10**6))
def test_growth_is_monotone_and_bounded(count: int) -> None:
    for growth in (PAIR, NETWORK, ACCOUNT, Growth(0, 1, 10)):
        assert growth.delay(count) <= growth.delay(count + 1) <= growth.longest


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.10", "192.0.2.10"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.10", "192.0.2.10"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_what_counts_as_one_origin(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_account_is_the_same_in_any_case_and_unreadable() -> None:
    assert account_digest(" Alice ") == account_digest("alice")
    assert "alice" not in account_digest("alice")
    assert len(account_digest("\ud800" * 10_000)) == 64
