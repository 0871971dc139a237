"""Removing a listed backup: the file first, then its row, with an event."""

from __future__ import annotations

from datetime import datetime

from framerr.backups import folder, pinfiles
from framerr.backups.models import DELETED
from framerr.core.db import Database
from framerr.core.files import disk_errors, fsync_folder
from framerr.core.paths import Paths
from framerr.observability import events


def delete_backup(db: Database, paths: Paths, uid: str, *, deleted_by: str, now: datetime) -> str:
    """Delete a backup because a person wants it gone, pinned and safety copies included; returns its name.

    Raises NotFound when it is not listed, Unavailable when the file cannot be deleted; then it stays listed.
    """
    return remove(db, paths, uid, DELETED, f"was deleted by {deleted_by}", now)


def remove(db: Database, paths: Paths, uid: str, kind: str, why: str, now: datetime) -> str:
    """Delete one listed file and its pin, then its row, with an event: "The backup NAME `why`." A file that is gone is fine.

    Raises NotFound when it is not listed, Unavailable when the file cannot be deleted; then it stays listed.
    """
    with db.reading() as session:
        path = folder.file_of(paths, folder.get(session, uid))
    with disk_errors(path):
        path.unlink(missing_ok=True)
        fsync_folder(path.parent)
    pinfiles.remove(path)
    with db.writing() as session:
        row = folder.get(session, uid)
        session.delete(row)
        text = f"The backup {row.name} {why}."
        events.record(session, kind, text=text, subject=uid, data={"name": row.name, "type": row.type}, now=now)
        return row.name
