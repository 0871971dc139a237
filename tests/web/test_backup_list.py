"""The Backups page in words, at the edges: two weeks, gaps, catch-ups, what goes next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from framerr.backups.listing import Day, DayState, Item, Listing
from framerr.backups.models import Backup
from framerr.jobs.models import Run, Schedule
from framerr.web.backup_list import Around, Eyes, Row, View, remaining, view

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
EYES = Eyes(NOW, BERLIN, "24")


def backup(hours: float = 8, **values: Any) -> Backup:
    made = NOW - timedelta(hours=hours)
    base: dict[str, Any] = {
        "uid": f"b{hours}",
        "name": "framerr-scheduled-2026-11-20T03-00-00Z.zip",
        "type": "scheduled",
        "state": "good",
        "size": 48_600_000,
        "created_at": made,
        "verified_at": made + timedelta(minutes=1),
        "note": "",
        "problem": "",
        "instance_name": "Studio server",
        "contents": {"files": 7, "counts": {"users": 4}, "parts": [], "unpacked": 99},
    }
    return Backup(**base | values)


def item(row: Backup, **values: Any) -> Item:
    base: dict[str, Any] = {"reason": "", "is_own": True, "from_the_future": False, "is_next_to_go": False}
    return Item(row, **base | values)


def listing(*items: Item, days: list[DayState] | None = None, **values: Any) -> Listing:
    states = days or ["none"] * 14
    good = [each.backup for each in items if each.backup.state == "good"]
    base: dict[str, Any] = {
        "items": items,
        "counted": len(items),
        "maximum": 7,
        "held": None,
        "total_size": sum(each.backup.size for each in items),
        "safety_size": 2_000_000,
        "newest_good": good[0] if good else None,
        "days": tuple(Day(date(2026, 11, 7) + timedelta(days=n), state) for n, state in enumerate(states)),
    }
    return Listing(**base | values)


def schedule(**values: Any) -> Schedule:
    base: dict[str, Any] = {
        "frequency": "daily",
        "hour": 4,
        "weekday": None,
        "next_due_at": datetime(2026, 11, 21, 3, 0, tzinfo=UTC),
        "changed_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Schedule(**base | values)


def told(found: Listing, **around: Any) -> View:
    base: dict[str, Any] = {
        "unseen": "",
        "schedule": schedule(),
        "last_run": None,
        "waiting": None,
        "is_beside_data": True,
        "folder": "/config/backups",
        "is_locked": False,
    }
    return view(found, Around(**base | around), EYES)


def row(**values: Any) -> Row:
    made = backup(**{name: value for name, value in values.items() if name not in {"is_own", "from_the_future"}})
    flags = {name: value for name, value in values.items() if name in {"is_own", "from_the_future"}}
    return told(listing(item(made, **flags))).rows[0]


def plain(words: str) -> str:
    return words.replace("\u00a0", " ")


def test_the_first_line_is_the_answer() -> None:
    """As the mockup says it; and honest when there is none, or no schedule."""
    found = listing(item(backup()))

    assert plain(told(found).answer) == "Last good backup today 04:00, verified, 48.6 MB. Next tomorrow 04:00."
    off = schedule(frequency="off", next_due_at=None)
    assert plain(told(found, schedule=off).answer).endswith("48.6 MB. The schedule is off.")
    assert plain(told(listing()).answer) == "There is no good backup yet. Next tomorrow 04:00."


@pytest.mark.parametrize(
    ("days", "title", "note"),
    [
        (["good"] * 14, "Every day of the last two weeks has a good backup", "14 of 14 days"),
        (
            ["good"] * 11 + ["caught-up"] + ["good"] * 2,
            "Every day of the last two weeks has a good backup",
            "14 of 14 days, 1 caught up",
        ),
        (
            ["none"] * 13 + ["good"],
            "The newest backup is good; 13 days of the last two weeks have none",
            "1 of 14 days",
        ),
        (
            ["good"] * 13 + ["failed"],
            "The newest backup is good; 1 day of the last two weeks has none",
            "13 of 14 days",
        ),
    ],
)
def test_two_weeks_are_judged(days: list[DayState], title: str, note: str) -> None:
    """A day that was caught up counts; a failed or missing one is a gap."""
    status = told(listing(item(backup()), days=days)).status

    assert (status.kind, plain(status.title), plain(status.note)) == ("safe", title, note)


def test_a_day_without_a_due_time_is_no_gap() -> None:
    """Before the schedule was set, on other days of a weekly one, and today before its hour."""
    young = schedule(changed_at=NOW - timedelta(hours=60))
    weekly = schedule(frequency="weekly", weekday=1)
    late = schedule(hour=23)

    assert [day["state"] for day in told(listing(item(backup())), schedule=young).status.days][-4:] == [
        "off", "none", "none", "none",
    ]  # fmt: skip
    states = [day["state"] for day in told(listing(item(backup())), schedule=weekly).status.days]
    assert (states.count("none"), states.count("off")) == (2, 12)
    assert told(listing(item(backup())), schedule=late).status.days[-1]["state"] == "off"
    assert told(listing(item(backup())), schedule=None).status.days == ()


def test_where_backups_lie_is_said() -> None:
    assert "Kept on the same disk as the data" in told(listing(item(backup()))).status.detail
    assert told(listing(item(backup())), is_beside_data=False).status.detail == "Kept on another disk than the data."


def test_a_failure_says_when_it_is_tried_again() -> None:
    """Cause, what still is good, and the next try."""
    failed = Run(state="failed", error="The disk is full.", finished_at=NOW, created_at=NOW, kind="backup")
    waiting = Run(state="queued", not_before=NOW + timedelta(minutes=30), created_at=NOW, kind="backup")

    status = told(listing(item(backup())), last_run=failed, waiting=waiting).status

    assert status.kind == "lost"
    assert plain(status.detail) == (
        "The disk is full. The newest good one is today 04:00. It is tried again today 12:30."
    )


def test_a_row_says_what_a_file_is() -> None:
    """The name of the file, or what is worth knowing instead of it."""
    usual = row()
    assert (plain(usual.title), usual.text) == ("Today 04:00", "<bdi>framerr-scheduled-2026-11-20T03-00-00Z.zip</bdi>")
    assert (usual.badges, plain(usual.content), usual.check_note) == ((("readable", ""),), "4 users, 6 files", "04:01")
    assert row(note="Before the move", pinned_at=NOW).text == "“<bdi>Before the move</bdi>”"
    assert row(type="safety", note="Before a reset").text == "<bdi>Before a reset</bdi>. Never deleted automatically"
    assert row(is_own=False).text == "From another instance, “<bdi>Studio server</bdi>”"
    assert ("look", "From the future") in row(from_the_future=True).badges
    assert row(contents={"files": 1, "counts": {"users": 1}, "caught_up": True}).text.startswith("Caught up")
    assert plain(row(verified_at=NOW - timedelta(days=0), hours=200).check_note) == "today 12:00"


def test_names_of_others_are_kept_apart() -> None:
    """Markup in them is text, and what is written from right to left does not reorder the words around it."""
    hostile = "\u0634\u0631\u0643\u0629 <b>1"

    assert row(is_own=False, instance_name=hostile).text == (
        "From another instance, “<bdi>\u0634\u0631\u0643\u0629 &lt;b&gt;1</bdi>”"
    )
    assert row(note=hostile, pinned_at=NOW).text == "“<bdi>\u0634\u0631\u0643\u0629 &lt;b&gt;1</bdi>”"


def test_what_cannot_be_restored_offers_no_restore() -> None:
    damaged = row(state="damaged", problem="1 of 7 files do not match.")
    foreign = row(state="foreign", type="other", name="site-export.zip", problem="No manifest.", contents={})
    newer = row(state="foreign", type="other", problem="Made by a newer version.", contents={})

    assert (damaged.can_restore, damaged.badges, damaged.check_words) == (False, (("damaged", ""),), "Damaged")
    assert (foreign.title, foreign.badges, foreign.type) == ("site-export.zip", (("foreign", ""),), "")
    assert foreign.text == "No manifest. Never deleted automatically"
    assert newer.badges == (("foreign", "Not usable here"),)


def test_what_goes_next_is_named() -> None:
    """One, two, and the oldest three of many."""
    rows = [item(backup(hours=8 + 24 * n), is_next_to_go=True) for n in range(5)]

    assert [plain(told(listing(*rows[:n])).goes_next) for n in (0, 1, 2, 3)] == [
        "", "today 04:00", "yesterday 04:00 and today 04:00",
        "Wed 18 Nov 04:00, yesterday 04:00 and today 04:00",
    ]  # fmt: skip
    many = told(listing(*rows))
    assert plain(many.goes_next) == "Mon 16 Nov 04:00, Tue 17 Nov 04:00, Wed 18 Nov 04:00 and 2 more"
    assert many.goes_count == 5


def test_what_is_kept_on_top_is_counted() -> None:
    pinned, safe = item(backup(pinned_at=NOW)), item(backup(type="safety"))

    assert told(listing(item(backup()))).kept == "1 of 7 kept."
    assert told(listing(pinned, counted=0)).kept == "0 of 7 kept; the pinned one comes on top."
    both = told(listing(pinned, pinned, safe, safe, counted=7)).kept
    assert plain(both) == "7 of 7 kept; 2 pinned ones and 2 safety copies (2.0 MB) come on top."


def test_what_is_included_is_told_by_the_newest_good_one() -> None:
    """Sizes and files; what it was made without is said, not left out."""
    parts = [
        {"section": "database", "title": "Configuration", "included": True, "files": 1, "size": 176_100},
        {"section": "custom-icons", "title": "Custom icons", "included": True, "files": 2, "size": 810},
        {"section": "favicon", "title": "Favicon", "included": False, "files": 0, "size": 0},
    ]
    made = backup(contents={"files": 3, "counts": {"users": 1}, "parts": parts, "unpacked": 176_910})

    told_of = [
        (part.title, plain(part.end), plain(part.note), part.is_included) for part in told(listing(item(made))).included
    ]

    assert [(title, end, included) for title, end, _, included in told_of] == [
        ("Configuration", "176.1 KB", True),
        ("Custom icons", "810 bytes", True),
        ("Favicon", "none", False),
    ]
    assert [note for _, _, note, _ in told_of][1:] == ["2 files", ""]
    assert [part.end for part in told(listing()).included] == ["", ""]


def test_what_remains_after_a_deletion() -> None:
    going, other, older = backup(uid="a"), backup(uid="b", hours=32), backup(uid="c", hours=56)

    assert remaining(going, [going], EYES) == "No other good backup remains."
    assert plain(remaining(going, [going, other], EYES)) == "1 other good backup remains, from yesterday 04:00."
    assert plain(remaining(going, [going, other, older], EYES)) == (
        "2 other good backups remain, the newest from yesterday 04:00."
    )
    assert remaining(backup(uid="d", state="damaged"), [], EYES) == "There is no good backup."


def test_a_folder_that_cannot_be_seen_is_never_safe() -> None:
    status = told(listing(item(backup()), days=["good"] * 14), unseen="The NAS is away.").status

    assert (status.kind, status.detail) == ("lost", "The NAS is away.")


def test_while_the_key_is_missing_no_next_one_is_promised() -> None:
    """Nothing runs then, whatever the schedule says and however good the last two weeks were."""
    waiting = Run(state="queued", not_before=NOW + timedelta(minutes=30), created_at=NOW, kind="backup")
    found = told(listing(item(backup()), days=["good"] * 14), is_locked=True, waiting=waiting)

    assert plain(found.answer) == (
        "No backups are made while the key is missing. Last good backup today 04:00, verified, 48.6 MB."
    )
    assert (found.status.kind, found.status.needs_backup) == ("lost", False)
    assert plain(found.status.detail) == "The key is missing. The last good one is from today 04:00."
    assert plain(told(listing(), is_locked=True).answer) == (
        "No backups are made while the key is missing. There is no good backup yet."
    )
