"""Taking an uploaded archive into the backups folder and its list, after it was inspected."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from framerr.backups import folder, preflight, shelf, verify
from framerr.backups.archive import Manifest
from framerr.backups.contributions import STANDARD, Contribution
from framerr.backups.inspect import inspect_archive
from framerr.backups.models import ADDED, Backup
from framerr.core.db import Database
from framerr.core.errors import Conflict, Corrupt
from framerr.core.files import CHUNK, disk_errors, sha256_file, size_in_words
from framerr.core.paths import Paths
from framerr.core.zips import Limits
from framerr.jobs.progress import Progress
from framerr.observability import events


def adopt(
    db: Database,
    paths: Paths,
    uploaded: Path,
    *,
    limits: Limits | None = None,
    contributions: Sequence[Contribution] = STANDARD,
    progress: Progress,
    now: datetime,
) -> Backup:
    """Prove an uploaded file and move it into the folder, under the name its manifest gives it.

    `uploaded` is gone afterwards. Raises what `inspect_archive` raises, Conflict when the very same archive is listed,
    DiskFull and Unavailable; then `uploaded` stays as it is and nothing is listed.
    """
    folder.reconcile(db, paths, limits=limits, now=now)
    manifest = inspect_archive(uploaded, paths, progress, limits=limits, contributions=contributions).manifest
    progress.stage("Putting it into the list")
    with disk_errors(uploaded):
        digest, size = sha256_file(uploaded)
    _require_new(db, digest)
    with shelf.new_part(paths.backups, manifest.type, manifest.created_at) as part:
        _move(uploaded, part, size, digest)
        path = shelf.publish(part, manifest.type, manifest.created_at)
    with shelf.removed_on_failure(path):
        row = _listed(db, path, manifest, digest, size, now)
    with disk_errors(uploaded):
        uploaded.unlink(missing_ok=True)
    return row


def _listed(db: Database, path: Path, manifest: Manifest, digest: str, size: int, now: datetime) -> Backup:
    with disk_errors(path):
        mtime_ns = path.stat().st_mtime_ns
    with db.writing() as session:
        row = session.scalar(select(Backup).where(Backup.name == path.name)) or Backup(name=path.name)
        session.add(row)
        row.size, row.mtime_ns, row.sha256 = size, mtime_ns, digest
        row.state, row.problem, row.verified_at, row.missing_since = "good", "", now, None
        folder.describe(row, manifest)
        session.flush()
        text = f"The backup {row.name} was added to the list and verified ({size_in_words(size)})."
        events.record(session, ADDED, text=text, subject=row.uid, data={"name": row.name}, now=now)
        return row


def _require_new(db: Database, digest: str) -> None:
    with db.reading() as session:
        same = session.scalar(select(Backup).where(Backup.sha256 == digest, Backup.missing_since.is_(None)))
        if same is not None:
            raise Conflict(f"This very archive is in the list already, as {same.name}. Nothing was added.")


def _move(uploaded: Path, part: Path, size: int, digest: str) -> None:
    """Make `part` hold the uploaded bytes: by a link where both lie on one file system, else by copying."""
    with disk_errors(part):
        try:
            part.unlink()
            part.hardlink_to(uploaded)
            part.chmod(0o600)
        except OSError as error:
            if error.errno not in shelf.NO_LINKS | {errno.EXDEV}:
                raise
            preflight.require_room({part.parent: size})
            _copy(uploaded, part, digest)


def _copy(source: Path, target: Path, digest: str) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with source.open("rb") as reading, os.fdopen(handle, "wb") as writing:
        shutil.copyfileobj(reading, writing, CHUNK)
    shelf.sync(target)
    verify.forget_cached(target)
    if sha256_file(target)[0] != digest:
        raise Corrupt(f"The archive could not be copied to {target.parent} intact. Look at that disk or mount.")
