"""Reading a stored archive back in full and saying what it is worth."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from framerr.backups import database, folder, foreign, proof
from framerr.backups.archive import NAME, Manifest
from framerr.backups.models import DAMAGED, Backup, State
from framerr.core.db import Database
from framerr.core.errors import Corrupt, DiskFull, Incompatible, InvalidInput, LimitExceeded, NotFound
from framerr.core.files import disk_errors
from framerr.core.paths import Paths
from framerr.core.zips import Limits, ZipReader, open_archive
from framerr.jobs.progress import Progress
from framerr.observability import events

Opened = Callable[[Path, Limits | None], AbstractContextManager[ZipReader]]


@dataclass(frozen=True)
class Verdict:
    """What an archive is worth. `sentence` is for people; `files` matched; `second_read`: only when read once more."""

    state: Literal["good", "damaged", "foreign", "unsupported"]
    sentence: str
    manifest: Manifest | None = None
    files: int = 0
    second_read: bool = False

    @property
    def row_state(self) -> State:
        """How the list of backups calls it."""
        return "foreign" if self.state == "unsupported" else self.state


def verify_archive(
    path: Path, progress: Progress, *, limits: Limits | None = None, opened: Opened = open_archive
) -> Verdict:
    """Read every member and compare it with the manifest. What does not match is read once more, past the cache (T10).

    Nothing is written. Raises NotFound and Unavailable when the file cannot be read at all, and what `progress` raises.
    """
    try:
        return _prove(path, progress, limits, opened)
    except Incompatible as error:
        return Verdict("unsupported", error.message)
    except (Corrupt, InvalidInput, LimitExceeded):
        forget_cached(path)
    try:
        return _on_second_read(_prove(path, progress, limits, opened))
    except Incompatible as error:
        return Verdict("unsupported", error.message)
    except (Corrupt, InvalidInput, LimitExceeded) as error:
        return _unreadable(path, error)


def verify_backup(
    db: Database, paths: Paths, uid: str, progress: Progress, *, limits: Limits | None = None, now: datetime
) -> Verdict:
    """Verify a listed archive, open its database, and keep the verdict in the list; a damaged one is an event.

    Raises NotFound when it is not listed or its file is gone, Unavailable when it cannot be read.
    """
    with db.reading() as session:
        row = session.scalar(select(Backup).where(Backup.uid == uid))
    if row is None:
        raise NotFound("This backup is not in the list any more. Reload the list.")
    path = folder.file_of(paths, row)
    verdict = _with_database(path, paths, verify_archive(path, progress, limits=limits), progress, limits)
    with db.writing() as session:
        current = session.scalar(select(Backup).where(Backup.uid == uid))
        if current is not None:
            record(current, verdict, now)
            if verdict.state == "damaged":
                text = f"The backup {row.name} is damaged. {verdict.sentence}"
                events.record(session, DAMAGED, level="error", text=text, subject=uid, now=now)
    return verdict


def record(row: Backup, verdict: Verdict, now: datetime) -> None:
    """Note a verdict on its row."""
    row.state = verdict.row_state
    row.problem = "" if verdict.state == "good" and not verdict.second_read else verdict.sentence
    row.verified_at = now if verdict.state == "good" else None


def forget_cached(path: Path) -> None:
    """Make the next reading come from the disk and not from memory, where the system can be told to."""
    with disk_errors(path), path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _prove(path: Path, progress: Progress, limits: Limits | None, opened: Opened) -> Verdict:
    with opened(path, limits) as reader:
        manifest = proof.read_manifest(reader)
        progress.stage("Verifying", sum(each.size for each in manifest.files.values()), "bytes")

        def hear(count: int) -> None:
            progress.advance(count)
            progress.check()

        first = proof.faults(reader, manifest, on_bytes=hear)
        if not first:
            return _good(manifest)
        forget_cached(path)
        progress.stage("Reading again what did not match")
        again = proof.faults(reader, manifest, only=first)
        return _on_second_read(_good(manifest)) if not again else _damaged(manifest, again)


def _with_database(path: Path, paths: Paths, verdict: Verdict, progress: Progress, limits: Limits | None) -> Verdict:
    """The verdict about an archive, its database opened as well: bytes that are what they were packed as may be no use."""
    if verdict.state != "good" or verdict.manifest is None:
        return verdict
    progress.stage("Opening the database")
    try:
        database.open_inside(path, paths, verdict.manifest, limits, to_restore=False)
    except Corrupt as error:
        return Verdict("damaged", error.message, verdict.manifest, verdict.files)
    except DiskFull:
        return replace(verdict, sentence=f"{verdict.sentence} There was no room to open the database as well.")
    return verdict


def _good(manifest: Manifest) -> Verdict:
    files = len(manifest.files)
    return Verdict("good", f"All {files} files match their checksums.", manifest, files)


def _on_second_read(verdict: Verdict) -> Verdict:
    if verdict.state != "good":
        return verdict
    sentence = (
        f"{verdict.sentence} That took a second reading: the disk gave other bytes the first time. Look at the disk or "
        "the mount before it fails."
    )
    return replace(verdict, sentence=sentence, second_read=True)


def _damaged(manifest: Manifest, faults: dict[str, str]) -> Verdict:
    shown = "; ".join(f"{name} {what}" for name, what in sorted(faults.items())[:3])
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    total = len(manifest.files)
    sentence = (
        f"{len(faults)} of {total} files do not match: {shown}{more}. Use another backup, or copy this one again."
    )
    return Verdict("damaged", sentence, manifest, max(0, total - len(faults)))


def _unreadable(path: Path, error: Corrupt | InvalidInput | LimitExceeded) -> Verdict:
    """No list of files or no manifest: damaged when the name says that it was one of ours, else another's file."""
    if isinstance(error, LimitExceeded):
        return Verdict("foreign", error.message)
    if NAME.fullmatch(path.name) or isinstance(error, Corrupt):
        return Verdict("damaged", error.message)
    with disk_errors(path):
        kind = foreign.kind_of(path)
    return Verdict("foreign", f"This is {kind}." if kind else error.message)
