"""Who gives way when too many connections are open: never those of somebody who holds few."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framerr.server.crowd import Guest, Limits, giving_way, is_late

LIMITS = Limits(connections=10, of_one_origin=4, bodies=3)


def guests(origin: str, count: int, *, first: int = 0, **facts: bool) -> list[Guest]:
    known = {"waits": True} | facts
    return [Guest(number, origin, float(number), **known) for number in range(first, first + count)]


def leaving(crowd: list[Guest], *, is_exempt: bool = False) -> set[int]:
    return giving_way(crowd, crowd[-1], LIMITS, is_exempt=is_exempt)


def test_up_to_each_limit_everybody_stays() -> None:
    assert leaving(guests("a", 4)) == set()
    assert leaving(guests("proxy", 10), is_exempt=True) == set()
    assert leaving(guests("a", 3, has_body=True)) == set()


def test_one_origin_too_many_loses_its_own_oldest() -> None:
    assert leaving([*guests("b", 2), *guests("a", 5, first=2)]) == {2}


def test_one_connection_too_many_costs_whoever_holds_most_their_oldest() -> None:
    crowd = [*guests("quiet", 1), *guests("proxy", 8, first=1), *guests("late", 2, first=9)]

    assert leaving(crowd) == {1}


def test_one_body_too_many_gives_way_and_not_those_without_one() -> None:
    crowd = [*guests("a", 2), *guests("b", 4, first=2, has_body=True)]

    assert leaving(crowd, is_exempt=True) == {2}


def test_what_is_being_served_stays() -> None:
    crowd = [*guests("a", 3, waits=False), *guests("a", 2, first=3)]

    assert leaving(crowd) == {3}
    assert leaving([replace(guest, waits=guest is crowd[-1]) for guest in crowd]) == {4}
    assert leaving([replace(guest, waits=False) for guest in crowd]) == set()


@pytest.mark.parametrize(
    ("silent", "arriving", "headers_finished", "late"),
    [
        (29, 29, False, False),
        (31, 31, False, True),
        (1, 31, False, True),  # a header that never ends, drop by drop
        (1, 599, True, False),
        (31, 100, True, True),
        (1, 601, True, True),
    ],
)
def test_a_request_has_so_long_to_arrive(silent: float, arriving: float, headers_finished: bool, late: bool) -> None:
    assert is_late(silent=silent, arriving=arriving, headers_finished=headers_finished, limits=Limits()) is late
