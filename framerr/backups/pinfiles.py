"""Pins beside their archives: a small file `.<name>.pin` says that a person keeps the archive for good, and why.

A row alone would lose the pin with a damaged database, with the next container on the same folder, and with time; the
folder is the truth. Whoever copies archives copies the pins along. One that cannot be read is a pin without a note:
what is in doubt is not deleted.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from framerr.backups.archive import FIRST_YEAR, LAST_YEAR
from framerr.core.errors import InvalidInput
from framerr.core.files import atomic_write, disk_errors, fsync_folder
from framerr.core.text import one_line

LONGEST_NOTE = 200
_LARGEST = 4096


class Pin(msgspec.Struct, frozen=True):
    """Why an archive is kept, and since when, as far as that is known."""

    note: str = ""
    pinned_at: datetime | None = None


def name_for(name: str) -> str:
    """The name of the pin of a file; hidden, as all that is not a backup itself."""
    return f".{name}.pin"


def read(archive: Path) -> Pin | None:
    """The pin beside a file; None when there is none."""
    try:
        handle = os.open(_beside(archive), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = msgspec.json.decode(file.read(_LARGEST), type=Pin)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        return Pin()
    return Pin(_legible(found.note), _sane(found.pinned_at))


def write(archive: Path, pin: Pin) -> None:
    """Pin a file; it survives a power cut. Raises DiskFull or Unavailable."""
    with disk_errors(archive.parent):
        atomic_write(_beside(archive), msgspec.json.encode(pin))


def remove(archive: Path) -> None:
    """Unpin a file; one that is not pinned is fine. Raises Unavailable."""
    with disk_errors(archive.parent):
        _beside(archive).unlink(missing_ok=True)
        fsync_folder(archive.parent)


def _beside(archive: Path) -> Path:
    return archive.with_name(name_for(archive.name))


def _legible(note: str) -> str:
    try:
        return one_line(note, label="The note", field="note", longest=LONGEST_NOTE)
    except InvalidInput:
        return ""


def _sane(moment: datetime | None) -> datetime | None:
    is_sane = moment is not None and moment.tzinfo is not None and FIRST_YEAR < moment.year < LAST_YEAR
    return moment if is_sane else None
