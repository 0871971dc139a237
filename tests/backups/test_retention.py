"""Which backups go: a table of cases with their answers, and what must hold for every list there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framerr.backups.retention import Archive, LastPrune, Plan, Policy, check_maximum, plan
from framerr.core.errors import InvalidInput

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"


def archive(serial: int, **facts: object) -> Archive:
    """A good scheduled archive of its own instance, made `serial` days after some day."""
    made = NOW - timedelta(days=100 - serial)
    known = {"uid": f"a{serial}", "type": "scheduled", "serial": serial, "created_at": made, "state": "good"}
    return Archive(**{**known, **facts})  # type: ignore[arg-type]


def many(first: int, last: int, **facts: object) -> list[Archive]:
    return [archive(serial, **facts) for serial in range(first, last + 1)]


def decide(archives: Sequence[Archive], maximum: int, **more: object) -> Plan:
    steady = {"last": LastPrune(NOW - timedelta(days=1), Policy(maximum, ZONE)), "now": NOW}
    return plan(archives, Policy(maximum, ZONE), **{**steady, **more})  # type: ignore[arg-type]


GOLDEN = [
    ("nothing there", [], 7, ()),
    ("fewer than Max", many(1, 6), 7, ()),
    ("exactly Max", many(1, 7), 7, ()),
    ("one above", many(1, 8), 7, ("a1",)),
    ("three above, oldest first", many(1, 10), 7, ("a1", "a2", "a3")),
    ("manual ones count alike", many(1, 4, type="manual") + many(5, 8), 7, ("a1",)),
    ("safety copies neither count nor go", many(1, 5, type="safety") + many(6, 12), 7, ()),
    ("pinned ones neither count nor go", many(1, 3, pinned=True) + many(4, 11), 7, ("a4",)),
    ("damaged ones neither count nor go", many(1, 3, state="damaged") + many(4, 10), 7, ()),
    ("foreign files neither count nor go", [archive(0, state="foreign", type="other"), *many(1, 7)], 7, ()),
    ("another instance's go first", [archive(90, uid="b", own=False), *many(1, 7)], 7, ("b",)),
    ("copied-in ones count", many(1, 4, state="unverified") + many(5, 8), 7, ("a1",)),
    ("one is kept", many(1, 2), 1, ("a1",)),
    ("by serial, not by date", [archive(1, created_at=NOW), *many(2, 3)], 2, ("a1",)),
    ("the newest good one stays though it is old", [archive(1), *many(2, 3, state="unverified")], 1, ("a2", "a3")),
    ("only damaged ones: nothing goes", many(1, 9, state="damaged"), 7, ()),
]


@pytest.mark.parametrize(
    ("archives", "maximum", "goes"), [case[1:] for case in GOLDEN], ids=[case[0] for case in GOLDEN]
)
def test_what_goes(archives: list[Archive], maximum: int, goes: tuple[str, ...]) -> None:
    """R-002-11, R-002-36, R-002-37, R-002-39, T30, T32."""
    assert decide(archives, maximum).goes == goes


def test_every_archive_has_a_reason() -> None:
    """T30: keep and remove together are all."""
    archives = [
        *many(1, 4), archive(5, type="safety"), archive(6, pinned=True), archive(7, state="damaged"),
        archive(8, state="foreign", type="other"),
    ]  # fmt: skip

    assert {each.uid: each.reason for each in decide(archives, 3).decisions} == {
        "a1": "Oldest above the 3 that are kept",
        "a2": "Number 3 of the 3 that are kept",
        "a3": "Number 2 of the 3 that are kept",
        "a4": "Number 1 of the 3 that are kept",
        "a5": "Safety copy: not counted, never deleted automatically",
        "a6": "Pinned: not counted, never deleted automatically",
        "a7": "Damaged: not counted, never deleted automatically",
        "a8": "Not a backup this version can use: not counted, never deleted automatically",
    }


@pytest.mark.parametrize("maximum", [0, -1, 31, 10**9, None, "", "7", "all", 7.0, True])
def test_a_maximum_that_is_none_is_refused(maximum: object) -> None:
    """R-002-10, T31: never "delete all"."""
    with pytest.raises(InvalidInput, match="from 1 to 30"):
        plan(many(1, 9), Policy(maximum, ZONE), now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("maximum", [1, 7, 30])
def test_a_maximum_in_range_is_taken(maximum: int) -> None:
    assert check_maximum(maximum) == maximum


def test_a_clock_that_jumps_ahead_and_back_deletes_nothing_more() -> None:
    """T29: one made in the future is flagged, and counts by its serial."""
    jumped = archive(8, created_at=NOW + timedelta(days=400))

    found = decide([*many(2, 7), jumped, archive(9)], 7)

    assert found.goes == ("a2",)
    assert [each.uid for each in found.decisions if each.from_the_future] == ["a8"]


class TestHeld:
    """T33: a large prune waits for a person, a steady schedule never does."""

    @pytest.mark.parametrize("maximum", range(1, 31))
    def test_a_steady_schedule_never_waits(self, maximum: int) -> None:
        last: LastPrune | None = None
        kept: list[Archive] = []
        for serial in range(1, 70):
            kept.append(archive(serial))
            found = plan(kept, Policy(maximum, ZONE), last=last, now=NOW + timedelta(days=serial))
            assert found.held is None
            kept = [each for each in kept if each.uid not in found.goes]
            last = LastPrune(NOW + timedelta(days=serial), Policy(maximum, ZONE))
        assert len(kept) == maximum

    @pytest.mark.parametrize(
        ("last", "words"),
        [
            (LastPrune(NOW, Policy(30, ZONE)), "Max backups was changed from 30 to 3"),
            (LastPrune(NOW, Policy(3, "America/New_York")), "the time zone was changed from America/New_York"),
            (LastPrune(NOW + timedelta(days=1), Policy(3, ZONE)), "the clock of the server went back"),
            (LastPrune(NOW - timedelta(days=400), Policy(3, ZONE)), "more than a month ago"),
            (None, "never deleted here before"),
            (LastPrune(NOW, Policy(3, ZONE)), "copied in"),
        ],
    )
    def test_more_than_half_waits(self, last: LastPrune | None, words: str) -> None:
        found = decide(many(1, 12), 3, last=last)

        assert len(found.goes) == 9
        assert found.held is not None
        assert words in found.held

    def test_more_than_twenty_waits(self) -> None:
        assert decide(many(1, 51), 30, last=None).held is not None

    def test_half_or_less_does_not_wait(self) -> None:
        assert decide(many(1, 8), 4, last=LastPrune(NOW, Policy(4, ZONE))).held is None

    def test_more_than_one_waits_where_nothing_was_deleted_before(self) -> None:
        """A folder that came from elsewhere: what was pinned there may not be known here."""
        assert decide(many(1, 8), 7, last=None).held is None
        assert "never deleted here before" in str(decide(many(1, 9), 7, last=None).held)

    def test_a_few_after_a_failed_deletion_do_not_wait(self) -> None:
        assert decide(many(1, 3), 1).held is None


archives_of_all_kinds = st.lists(
    st.builds(
        Archive,
        uid=st.uuids().map(str),
        type=st.sampled_from(["manual", "scheduled", "safety", "other"]),
        serial=st.integers(0, 60),
        created_at=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - given a zone
        state=st.sampled_from(["good", "unverified", "damaged", "foreign"]),
        own=st.booleans(),
        pinned=st.booleans(),
    ),
    max_size=60,
    unique_by=lambda each: each.uid,
)


@given(archives_of_all_kinds, st.integers(1, 30), st.data())
def test_what_must_hold_for_every_list(archives: list[Archive], maximum: int, data: st.DataObject) -> None:
    """R-002-39, T32: never all, never a safety copy, never a pin, never the newest good one, never the one just made."""
    made = data.draw(st.sampled_from([None, *(each.uid for each in archives)]))

    found = decide(archives, maximum, just_made=made)

    by_uid = {each.uid: each for each in archives}
    goes = [by_uid[uid] for uid in found.goes]
    assert sorted(by_uid) == sorted(each.uid for each in found.decisions)
    assert all(each.type in {"manual", "scheduled"} and not each.pinned for each in goes)
    assert all(each.state in {"good", "unverified"} for each in goes)
    assert made not in found.goes
    counted = [each for each in archives if each.uid in {d.uid for d in found.decisions if d.counted}]
    good = [each for each in counted if each.state == "good" and each.own]
    if good:
        newest = max(good, key=lambda each: (each.serial, each.created_at, each.uid))
        assert newest.uid not in found.goes
    assert len(goes) <= max(0, len(counted) - maximum)
    assert len(counted) - len(goes) <= maximum + 2


@given(archives_of_all_kinds, st.integers(1, 30))
def test_applying_a_plan_leaves_nothing_more_to_do(archives: list[Archive], maximum: int) -> None:
    first = decide(archives, maximum)

    rest = [each for each in archives if each.uid not in first.goes]

    assert decide(rest, maximum).goes == ()
