"""The backups page in words: the answer, the status line with its two weeks, the rows, what goes next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final, Literal

from markupsafe import Markup

from framerr.accounts.models import TimeFormat
from framerr.backups.archive import NAME
from framerr.backups.listing import Day, Item, Listing
from framerr.backups.models import Backup
from framerr.core.files import size_in_words
from framerr.jobs.calendar import next_due
from framerr.jobs.models import Run, Schedule
from framerr.web import safety
from framerr.web.filters import capital, clock_time, count, foreign, when
from framerr.web.filters import day as day_words

SHOWN: Final = 10
TWO_WEEKS: Final = 14
NAMED: Final = 3
_CONFIGURATION: Final = (
    "Users with the hashes of their passwords, settings, connected services with their readable keys"
)
_CHECKED: Final = {"good": "Verified", "unverified": "Not checked yet", "damaged": "Damaged", "foreign": "Unreadable"}


@dataclass(frozen=True)
class Eyes:
    """How moments are told to the person who looks."""

    now: datetime
    zone: tzinfo
    clock: TimeFormat

    def when(self, moment: datetime) -> str:
        return when(moment, now=self.now, zone=self.zone, clock=self.clock)


@dataclass(frozen=True)
class Around:
    """What the list itself does not know. `last_run` is the newest backup run, `waiting` a retry that has a later time;
    `unseen`: why the folder cannot be looked into, or the empty text; `is_locked`: the key is missing, so nothing runs."""

    unseen: str
    schedule: Schedule | None
    last_run: Run | None
    waiting: Run | None
    is_beside_data: bool
    folder: str
    is_locked: bool


@dataclass(frozen=True)
class Row:
    """A file as the list shows it: `title` is when it was made, or its name. `check` is its state, `check_words` and `check_note` ("04:01") what is said of it."""

    uid: str
    title: str
    made: datetime
    badges: tuple[tuple[str, str], ...]
    text: str
    type: str
    content: str
    size: int
    check: str
    check_words: str
    check_note: str
    can_restore: bool
    is_pinned: bool


@dataclass(frozen=True)
class Status:
    """The status line; `days` are drawn as the strip, `note` stands below it."""

    kind: Literal["safe", "warn", "lost"]
    title: str
    detail: str
    needs_backup: bool
    days: tuple[dict[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Part:
    """A part of what is in a backup; `end` is its size, empty while none was made."""

    title: str
    end: str
    note: str
    is_included: bool


@dataclass(frozen=True)
class View:
    """The page. `goes_next` names the `goes_count` files that are deleted when the next backup is proven."""

    answer: str
    status: Status
    rows: tuple[Row, ...]
    fact: str
    kept: str
    goes_next: str
    goes_count: int
    included: tuple[Part, ...]
    included_size: int | None
    holds_credentials: bool


def view(listing: Listing, around: Around, eyes: Eyes) -> View:
    """Everything the page says."""
    newest = listing.newest_good
    rows = tuple(_row(item, eyes) for item in listing.items)
    return View(
        answer=_answer(newest, around, eyes),
        status=_status(listing, around, eyes),
        rows=rows,
        fact=f"{count(len(rows), 'file')}, {size_in_words(listing.total_size)}" if rows else "",
        kept=_kept(listing),
        goes_next=_goes_next([eyes.when(item.backup.created_at) for item in listing.items if item.is_next_to_go]),
        goes_count=sum(item.is_next_to_go for item in listing.items),
        included=tuple(_parts(newest)),
        included_size=newest.contents.get("unpacked") if newest else None,
        holds_credentials=any(row.check != "foreign" for row in rows),
    )


def remaining(going: Backup, present: Sequence[Backup], eyes: Eyes) -> str:
    """What is left after a backup is deleted, for the question."""
    good = [row for row in present if row.state == "good" and row.uid != going.uid]
    if not good:
        return "No other good backup remains." if going.state == "good" else "There is no good backup."
    newest = max(good, key=lambda row: row.created_at)
    if len(good) == 1:
        return f"1 other good backup remains, from {eyes.when(newest.created_at)}."
    return f"{len(good)} other good backups remain, the newest from {eyes.when(newest.created_at)}."


def _answer(newest: Backup | None, around: Around, eyes: Eyes) -> str:
    last = "There is no good backup yet."
    if newest is not None:
        last = f"Last good backup {eyes.when(newest.created_at)}, verified, {size_in_words(newest.size)}."
    if around.is_locked:
        return f"No backups are made while the key is missing. {last}"
    due = around.schedule.next_due_at if around.schedule else None
    return f"{last} Next {eyes.when(due)}." if due else f"{last} The schedule is off."


def _status(listing: Listing, around: Around, eyes: Eyes) -> Status:
    facts = safety.Facts(
        unseen=around.unseen,
        newest=listing.newest_good,
        kept=listing.counted,
        most=listing.maximum,
        last_run=around.last_run,
        schedule=around.schedule,
        is_locked=around.is_locked,
    )
    judged = safety.judge(facts, eyes.now, eyes.when)
    days = tuple(_day(day, around.schedule, eyes) for day in listing.days)
    told = [day["state"] for day in days if day["state"] != "off"]
    caught_up = told.count("caught-up")
    note = f"{told.count('good') + caught_up} of {count(len(told), 'day')}" if told else ""
    note += f", {caught_up} caught up" if caught_up else ""
    said = Status(judged.kind, judged.title, judged.detail, judged.needs_backup, days if told else (), note)
    if around.is_locked:
        return said
    if around.waiting is not None and around.waiting.not_before is not None:
        return replace(said, detail=f"{said.detail} It is tried again {eyes.when(around.waiting.not_before)}.")
    is_quiet = around.last_run is None or not around.last_run.is_open
    if judged.kind == "safe" and is_quiet:
        return replace(said, title=_praise(told), detail=_place(around))
    return said


def _praise(told: list[str]) -> str:
    missing = told.count("none")
    if missing:
        verb = "has" if missing == 1 else "have"
        return f"The newest backup is good; {count(missing, 'day')} of the last two weeks {verb} none"
    if len(told) == TWO_WEEKS:
        return "Every day of the last two weeks has a good backup"
    return "The newest backup is good" if len(told) < 2 else "Every backup that was due is here and good"


def _place(around: Around) -> str:
    if not around.is_beside_data:
        return "Kept on another disk than the data."
    return (
        "Kept on the same disk as the data: a broken disk takes both. Download one now and then, or mount another disk "
        f"at {around.folder}."
    )


def _day(day: Day, schedule: Schedule | None, eyes: Eyes) -> dict[str, str]:
    """A day of the strip. One without a backup is a gap only when one was due since the schedule is as it is."""
    words = day_words(datetime.combine(day.date, time(12), eyes.zone), now=eyes.now, zone=eyes.zone)
    label = capital(words)
    match day.state:
        case "good":
            return {"state": "good", "label": f"{label}: good"}
        case "caught-up":
            return {"state": "caught-up", "label": f"{label}: caught up"}
        case "failed":
            return {"state": "none", "label": f"{label}: failed"}
    if schedule is None or not _was_due(day, schedule, eyes):
        return {"state": "off", "label": f"{label}: none was due"}
    return {"state": "none", "label": f"{label}: none"}


def _was_due(day: Day, schedule: Schedule, eyes: Eyes) -> bool:
    if not schedule.rule.falls_on(day.date):
        return False
    before = datetime.combine(day.date, time(0), eyes.zone) - timedelta(seconds=1)
    due = next_due(schedule.rule, eyes.zone, before)
    return due is not None and schedule.changed_at < due <= eyes.now


def _row(item: Item, eyes: Eyes) -> Row:
    backup = item.backup
    made = eyes.when(backup.created_at)
    return Row(
        uid=backup.uid,
        title=backup.name if backup.type == "other" else capital(made),
        made=backup.created_at,
        badges=tuple(_badges(item)),
        text=_text(item),
        type="" if backup.type == "other" else backup.type,
        content=_content(backup.contents),
        size=backup.size,
        check=backup.state,
        check_words=_CHECKED[backup.state],
        check_note=_verified(backup, eyes),
        can_restore=backup.state in {"good", "unverified"},
        is_pinned=backup.pinned_at is not None,
    )


def _badges(item: Item) -> list[tuple[str, str]]:
    backup = item.backup
    found = [("pinned", "")] if backup.pinned_at is not None else []
    if backup.state == "damaged":
        return [*found, ("damaged", "")]
    if backup.state == "foreign":
        return [*found, ("foreign", "Not usable here" if NAME.fullmatch(backup.name) else "")]
    return [*found, ("readable", "")] + ([("look", "From the future")] if item.from_the_future else [])


def _text(item: Item) -> str:
    """The line below: the note, what is wrong, where it comes from, or else the name of the file."""
    backup = item.backup
    told: list[str] = []
    if backup.note:
        note = foreign(backup.note)
        told.append(Markup("“{}”").format(note) if backup.pinned_at is not None else note)
    if backup.problem:
        told.append(backup.problem.rstrip("."))
    if backup.instance_name and not item.is_own:
        told.append(Markup("From another instance, “{}”").format(foreign(backup.instance_name)))
    if backup.contents.get("caught_up"):
        told.append("Caught up: it could not be made when it was due")
    if backup.type in {"safety", "other"}:
        told.append("Never deleted automatically")
    return Markup(". ").join(told) or foreign(backup.name)


def _content(contents: dict[str, Any]) -> str:
    counts, files = contents.get("counts"), contents.get("files")
    if not counts or not files:
        return ""
    users = count(counts.get("users", 0), "user")
    return f"{users}, {count(files - 1, 'file')}" if files > 1 else users


def _verified(backup: Backup, eyes: Eyes) -> str:
    if backup.verified_at is None:
        return ""
    verified, made = backup.verified_at.astimezone(eyes.zone), backup.created_at.astimezone(eyes.zone)
    if verified.date() == made.date():
        return clock_time(verified, eyes.clock)
    return eyes.when(backup.verified_at)


def _kept(listing: Listing) -> str:
    """`7 of 7 kept; the pinned and 2 safety copies come on top.`"""
    pinned = sum(item.backup.pinned_at is not None for item in listing.items)
    safe = sum(item.backup.type == "safety" and item.backup.pinned_at is None for item in listing.items)
    extra = []
    if pinned:
        extra.append("the pinned one" if pinned == 1 else f"{pinned} pinned ones")
    if safe:
        extra.append("the safety copy" if safe == 1 else f"{safe} safety copies ({size_in_words(listing.safety_size)})")
    kept = f"{listing.counted} of {listing.maximum} kept"
    if not extra:
        return f"{kept}."
    verb = "comes" if pinned + safe == 1 else "come"
    return f"{kept}; {' and '.join(extra)} {verb} on top."


def _goes_next(told: list[str]) -> str:
    """`Sat 14 Nov 04:00 and Sun 15 Nov 04:00`; the oldest three are named. The empty text when nothing goes."""
    if not told:
        return ""
    oldest = told[-1 : -1 - NAMED : -1]
    more = len(told) - len(oldest)
    rest = f"{more} more" if more else oldest.pop()
    return f"{', '.join(oldest)} and {rest}" if oldest else rest


def _parts(newest: Backup | None) -> Sequence[Part]:
    known = newest.contents.get("parts", []) if newest else []
    if not known:
        return [
            Part("Configuration", "", _CONFIGURATION, is_included=True),
            Part("Pictures, icons, favicon", "", "Every file that was uploaded", is_included=True),
        ]
    return [_part(part) for part in known]


def _part(part: dict[str, Any]) -> Part:
    if not part["included"]:
        return Part(part["title"], "none", "", is_included=False)
    files = _CONFIGURATION if part["section"] == "database" else count(part["files"], "file")
    return Part(part["title"], size_in_words(part["size"]), files, is_included=True)
