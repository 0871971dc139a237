"""Keeping an archive for good because a person says so: not counted towards Max, never deleted automatically.

The file beside the archive comes first and goes first, so that whatever is cut off leaves a pin and never takes one.
"""

from __future__ import annotations

from datetime import datetime

from framerr.backups import folder, pinfiles
from framerr.backups.models import Backup
from framerr.backups.pinfiles import LONGEST_NOTE, Pin
from framerr.core.db import Database
from framerr.core.paths import Paths
from framerr.core.text import one_line


def pin(db: Database, paths: Paths, uid: str, note: str, now: datetime) -> Backup:
    """Pin a listed archive; a note that is not empty replaces the one it has.

    Raises NotFound, InvalidInput, and DiskFull or Unavailable when its pin cannot be written beside it.
    """
    words = one_line(note, label="The note", field="note", longest=LONGEST_NOTE) if note.strip() else ""
    with db.reading() as session:
        row = folder.get(session, uid)
    since = row.pinned_at or now
    pinfiles.write(folder.file_of(paths, row), Pin(words or row.note, since))
    with db.writing() as session:
        row = folder.get(session, uid)
        row.note, row.pinned_at = words or row.note, since
        return row


def unpin(db: Database, paths: Paths, uid: str) -> Backup:
    """From now on it counts, and goes when it is the oldest above Max. Raises NotFound, Unavailable."""
    with db.reading() as session:
        row = folder.get(session, uid)
    pinfiles.remove(folder.file_of(paths, row))
    with db.writing() as session:
        row = folder.get(session, uid)
        row.pinned_at = None
        return row
