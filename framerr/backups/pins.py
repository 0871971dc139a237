"""Keeping an archive for good because a person says so: not counted towards Max, never deleted automatically."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from framerr.backups import folder
from framerr.backups.models import Backup
from framerr.core.text import one_line

LONGEST_NOTE = 200


def pin(session: Session, uid: str, note: str, now: datetime) -> Backup:
    """Pin a listed archive; a note that is not empty replaces the one it has. Raises NotFound, InvalidInput."""
    row = folder.get(session, uid)
    if note.strip():
        row.note = one_line(note, label="The note", field="note", longest=LONGEST_NOTE)
    row.pinned_at = row.pinned_at or now
    return row


def unpin(session: Session, uid: str) -> Backup:
    """From now on it counts, and goes when it is the oldest above Max. Raises NotFound."""
    row = folder.get(session, uid)
    row.pinned_at = None
    return row
