"""What an inspected archive holds, as the lines of a page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from framerr.backups.inspect import Against, Inspection, Line
from framerr.web.filters import count, foreign

# In the order of the page.
_ICONS: Final = {
    "Users": "users",
    "Settings": "settings",
    "Integrations": "plug",
    "Schedules": "clock",
    "Profile pictures": "user",
    "Custom icons": "image",
    "Favicon": "image",
    "Events": "list",
    "Audit log": "list-checks",
}
_TYPES: Final = {"manual": "Manual backup", "scheduled": "Scheduled backup", "safety": "Safety backup"}
# Rows that every archive has and that say nothing to a person.
_SILENT: Final = frozenset({"Instance"})


@dataclass(frozen=True)
class Fact:
    """`words` ("4 users") and what is true of them ("with their passwords")."""

    icon: str
    words: str
    end: str


@dataclass(frozen=True)
class Inside:
    """The inspect page: title, what was proven, what comes back, what starts empty, what to know."""

    title: Markup
    file: str
    kind: str
    origin: Markup
    size: int
    proofs: tuple[str, ...]
    comes_back: tuple[Fact, ...]
    missing: str
    starts_empty: tuple[Fact, ...]
    warnings: tuple[str, ...]


def view(
    found: Inspection, file: str, tell: Callable[[datetime], str], beside: Against | None = None, note: str = ""
) -> Inside:
    """`tell` writes a moment for the person who looks; `beside` compares with a running instance."""
    made = found.manifest
    upgrade = "Its database is upgraded on the way" if found.needs_upgrade else "Version can be restored here"
    version = Markup("made by version {}").format(foreign(made.app_version))
    return Inside(
        title=Markup("A good backup of “{}”, made {}").format(foreign(made.instance.name), tell(made.created_at)),
        file=file,
        kind=_TYPES[made.type],
        origin=version + Markup(", “{}”").format(foreign(note)) if note else version,
        size=found.size,
        proofs=(
            f"{count(found.files_matched)} of {count(len(made.files))} checksums match",
            "Database opens",
            upgrade,
        ),
        comes_back=_facts(found.comes_back),
        missing=_missing(found.not_included),
        starts_empty=tuple(Fact("", line.name, _emptied(line)) for line in found.starts_empty),
        warnings=(*found.warnings, *_compared(beside, tell)),
    )


def _facts(lines: Iterable[Line]) -> tuple[Fact, ...]:
    """What matters most comes first. A part with rows and files is told once, by its files."""
    by_name = {line.name: line for line in lines if line.name not in _SILENT}
    order = list(_ICONS)
    known = sorted(by_name, key=lambda name: order.index(name) if name in order else len(order))
    return tuple(_fact(by_name[name]) for name in known)


def _fact(line: Line) -> Fact:
    """`4 users`, with their passwords; `Audit log`, 12 entries. What is one thing is not counted."""
    icon = _ICONS.get(line.name, "check")
    if line.count is None:
        return Fact(icon, line.name, line.words)
    if line.name.endswith("s"):
        name = line.name[:1].lower() + line.name[1:]
        return Fact(icon, count(line.count, name.removesuffix("s")), line.words)
    amount = f"{count(line.count, 'entry', 'entries')}, " if line.count > 1 else ""
    return Fact(icon, line.name, f"{amount}{line.words}")


def _emptied(line: Line) -> str:
    return line.words if not line.count else f"{count(line.count)}, {line.words}"


def _missing(parts: tuple[Line, ...]) -> str:
    """`Custom icons, favicon: there are none.` for the parts that the archive was made without."""
    by_words: dict[str, list[str]] = {}
    for part in parts:
        by_words.setdefault(part.words or "not in this archive", []).append(part.name)
    told = ((", ".join([names[0], *(name.lower() for name in names[1:])]), words) for words, names in by_words.items())
    return " ".join(f"{names}: {words}." for names, words in told)


def _compared(beside: Against | None, tell: Callable[[datetime], str]) -> tuple[str, ...]:
    if beside is None:
        return ()
    told = []
    if not beside.is_own:
        told.append("It was made by another instance. This one takes over its users, settings and name.")
    if beside.newer_here is not None:
        told.append(
            f"There is a newer good backup here, from {tell(beside.newer_here)}. What changed since this one was made "
            "is not in it."
        )
    return tuple(told)
