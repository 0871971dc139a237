"""What an archive holds, in the words and the order of the page."""

from __future__ import annotations

from datetime import UTC, datetime

from framerr.backups.archive import InstanceRef, Manifest, Proof
from framerr.backups.inspect import Against, Inspection, Line
from framerr.web.inside import Fact, Inside, view

MADE = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def inside(beside: Against | None = None, *, needs_upgrade: bool = False, note: str = "") -> Inside:
    manifest = Manifest(
        format=1,
        app_version="1.2.0",
        schema_revision="0001",
        type="scheduled",
        serial=7,
        created_at=MADE,
        instance=InstanceRef("one", "Studio server"),
        included=[],
        counts={},
        files={str(number): Proof(1, "0" * 64) for number in range(1204)},
        purged_on_restore=[],
    )
    found = Inspection(
        name="x.part",
        size=48_600_000,
        manifest=manifest,
        files_matched=1204,
        unpacked_size=99,
        needs_upgrade=needs_upgrade,
        comes_back=(
            Line("Audit log", 12, "who did what"),
            Line("Custom icons", 2, "their names"),
            Line("Something new", 3, "of a later issue"),
            Line("Instance", 1, "its identity"),
            Line("Users", 1, "with their passwords"),
            Line("Custom icons", 5, "every file"),
            Line("Favicon", 1, "every file"),
        ),
        starts_empty=(Line("Sessions", 1318, "everybody signs in again"), Line("Media library cache", None, "refills")),
        not_included=(Line("Profile pictures", None, "there are none"), Line("Content history", None, "")),
        warnings=("1 file belongs to a part that this version does not know.",),
    )
    return view(found, "framerr-scheduled.zip", lambda moment: f"on {moment:%d %B}", beside, note)


def test_the_page_says_what_was_proven() -> None:
    shown = inside(note="Before the move")

    assert shown.title == "A good backup of “<bdi>Studio server</bdi>”, made on 20 November"
    assert (shown.file, shown.kind) == ("framerr-scheduled.zip", "Scheduled backup")
    assert shown.origin == "made by version <bdi>1.2.0</bdi>, “<bdi>Before the move</bdi>”"
    assert shown.proofs == ("1,204 of 1,204 checksums match", "Database opens", "Version can be restored here")
    assert inside(needs_upgrade=True).proofs[2] == "Its database is upgraded on the way"


def test_what_comes_back_is_told_once_and_in_order() -> None:
    """People first; what has rows and files by its files; what the page does not know yet comes last, and is not lost."""
    assert inside().comes_back == (
        Fact("users", "1\u00a0user", "with their passwords"),
        Fact("image", "5\u00a0custom icons", "every file"),
        Fact("image", "Favicon", "every file"),
        Fact("list-checks", "Audit log", "12\u00a0entries, who did what"),
        Fact("check", "Something new", "3\u00a0entries, of a later issue"),
    )


def test_what_starts_empty_and_what_is_missing_is_said() -> None:
    shown = inside()

    assert [(fact.words, fact.end) for fact in shown.starts_empty] == [
        ("Sessions", "1,318, everybody signs in again"),
        ("Media library cache", "refills"),
    ]
    assert shown.missing == "Profile pictures: there are none. Content history: not in this archive."


def test_a_running_instance_is_compared() -> None:
    """Another instance's archive, and one that is older than the newest good backup here."""
    assert len(inside().warnings) == 1
    assert inside(Against(is_own=True, newer_here=None)).warnings == inside().warnings
    _, other, newer = inside(Against(is_own=False, newer_here=MADE)).warnings
    assert other.startswith("It was made by another instance.")
    assert newer.startswith("There is a newer good backup here, from on 20 November.")
