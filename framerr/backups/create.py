"""Making a backup (flow D): copy, decrypt, pack, verify, name, list. Nothing counts before it was read back.

Whatever fails or stops a run, no file appears under a final name and nothing readable is left in the scratch folder;
after a kill, `shelf.sweep` and the sweep of `incoming/tmp` remove the rest before the next boot answers.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import framerr
from framerr.backups import archive, credentials, folder, portable, preflight, shelf, swap, upgrade, verify
from framerr.backups.archive import DATABASE, MANIFEST, Manifest, Part, Proof, Type
from framerr.backups.contributions import STANDARD, Contribution, Source
from framerr.backups.models import MADE, Backup
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database, Fate, fates
from framerr.core.errors import Conflict, Corrupt, Unavailable
from framerr.core.files import disk_errors, sha256_file, size_in_words
from framerr.core.paths import Paths
from framerr.core.zips import Limits, Member, ZipWriter
from framerr.jobs.progress import Progress
from framerr.observability import events
from framerr.settings import instance
from framerr.settings.models import Instance, Setting

STAGES = 5
"""How many stages `create_backup` tells, for whoever plans the whole run."""

_LISTINGS = 3


@dataclass(frozen=True)
class Made:
    """A proven archive under its final name."""

    path: Path
    manifest: Manifest
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class _Order:
    """What is to be made, and of which parts."""

    type: Type
    serial: int
    note: str
    created_at: datetime
    contributions: Sequence[Contribution]
    of_today: bool = True
    sections: Mapping[str, Any] = field(default_factory=dict)


def create_backup(
    db: Database,
    paths: Paths,
    key: InstanceKey | None,
    *,
    type: Type,
    note: str = "",
    caught_up: bool = False,
    limits: Limits | None = None,
    contributions: Sequence[Contribution] = STANDARD,
    progress: Progress,
    now: datetime,
) -> Backup:
    """Make, prove and list a backup; the caller audits it and runs `prune.apply` afterwards.

    Without a key (a locked instance) credentials stay sealed, which the manifest says. `limits` are for looking at the
    archives that are here. Raises Conflict when there is
    nothing to back up, DiskFull, Unavailable (an unreadable file is named, with the user id and the fix), Corrupt for a
    damaged database, Cancelled.
    """
    _require_readable(db)
    folder.reconcile(db, paths, limits=limits, now=now)
    with db.writing() as session:
        if type != "safety":
            preflight.require_users(session)
        instance.ensure(session, now)
        serial = instance.next_backup_serial(session, above=folder.highest_serial(session))
        before = folder.newest_good(session)
        last_size, last_parts = (before.size, before.contents.get("parts", [])) if before else (None, [])
    order = _Order(type, serial, note, now, contributions)
    made = _make(db, paths, key, order, last_size, progress)
    _note_findings(made.manifest, last_parts, progress)
    with shelf.removed_on_failure(made.path), db.writing() as session:
        row = _listed(session, made, note, now)
        row.contents = row.contents | {"caught_up": caught_up}
        _tell(session, row, caught_up, now)
    if type != "safety":
        _retire_before(paths, progress, now)
    return row


def before_upgrade(paths: Paths, key: InstanceKey | None, now: datetime) -> Path:
    """A safety backup of a database whose schema is not this version's yet: nothing is read or written by its models.

    When a good one of this very state is there already, it is that one. It is not listed until the folder is looked at.
    Raises what `create_backup` raises.
    """
    db = Database(paths.database)
    try:
        state = upgrade.state_of(db)
        known = [folder.glance(paths.backups, seen) for seen in folder.scan(paths.backups).values()]
        saved = upgrade.saved_already(paths, known, state)
        if saved is not None:
            return saved
        serial = _next_serial(db, known)
        sections = {upgrade.SECTION: {"database": state}}
        note = "Before an upgrade of the database"
        order = _Order("safety", serial, note, now, STANDARD, of_today=False, sections=sections)
        return _make(db, paths, key, order, None, Progress()).path
    finally:
        db.close()


def _next_serial(db: Database, known: Sequence[folder.Glance]) -> int:
    """Above those of this instance's archives, or of all when it does not say who it is; told from the files alone."""
    with db.reading() as session:
        own = portable.instance_of(session.connection()).id
    manifests = [each.manifest for each in known if each.manifest is not None]
    serials = [instance.believable(each.serial) for each in manifests if not own or each.instance.id == own]
    return max(serials, default=0) + 1


def _require_readable(db: Database) -> None:
    """Raises Corrupt when what this room reads of the live database holds values that are none (T17)."""
    names = {name for name, fate in fates().items() if fate.fate is Fate.LOCAL}
    with db.reading() as session:
        read = names | {Instance.__tablename__, Setting.__tablename__}
        portable.require_readable(session.connection(), f"The database {db.path}", read)


def _retire_before(paths: Paths, progress: Progress, now: datetime) -> None:
    """The state before the last restore has a proven successor now. One that cannot be removed only takes room."""
    try:
        swap.retire_before(paths, now)
    except Unavailable as error:
        progress.note(error.message, "warn")


def _make(
    db: Database, paths: Paths, key: InstanceKey | None, order: _Order, last_size: int | None, progress: Progress
) -> Made:
    with (
        _scratch(paths) as scratch,
        shelf.new_part(paths.backups, order.type, order.created_at) as part,
    ):
        copy = scratch / DATABASE
        manifest = _fill(part, db, paths, key, order, last_size, copy, progress)
        shelf.sync(part)
        _require_proven(part, manifest, progress)
        progress.stage("Putting it into the list")
        progress.safe_to_cancel(False)
        with disk_errors(part):
            digest, size = sha256_file(part)
        path = shelf.publish(part, order.type, order.created_at)
        with shelf.removed_on_failure(path), disk_errors(path):
            return Made(path, manifest, size, path.stat().st_mtime_ns, digest)


def _fill(
    part: Path,
    db: Database,
    paths: Paths,
    key: InstanceKey | None,
    order: _Order,
    last_size: int | None,
    copy: Path,
    progress: Progress,
) -> Manifest:
    """Write the archive; once more from the beginning when a file was removed before it could be packed."""
    for _ in range(_LISTINGS):
        facts, collected = _capture(db, paths, key, order, last_size, copy, progress)
        try:
            return _pack(part, copy, facts, collected, order, progress)
        except _VanishedError:
            progress.note("A file was removed while the backup was made, so it is made again.")
    raise _restless()


class _VanishedError(Exception):
    """A file that was to be packed is not there any more."""


@contextmanager
def _scratch(paths: Paths) -> Iterator[Path]:
    """A private folder below `incoming/tmp` for what is readable; gone at the end, whatever happens."""
    with disk_errors(paths.tmp):
        made = tempfile.TemporaryDirectory(prefix="backup-", dir=paths.tmp)
    with made as name:
        yield Path(name)


Collected = Mapping[str, Sequence[Source]]


def _capture(
    db: Database,
    paths: Paths,
    key: InstanceKey | None,
    order: _Order,
    last_size: int | None,
    copy: Path,
    progress: Progress,
) -> tuple[portable.Facts, Collected]:
    """The copy of the database, and the files that belong to it.

    Files are listed before and after the copy: one that was removed meanwhile may still have its row in the copy, so
    the copy is made again.
    """
    for _ in range(_LISTINGS):
        before = _collect(paths, order, copy.parent)
        database, files = preflight.sizes(paths, [source for each in before.values() for source in each])
        preflight.require_room({paths.tmp: database, paths.backups: last_size or database + files})
        with disk_errors(copy):
            copy.unlink(missing_ok=True)
        facts = portable.write_copy(db, key, copy, progress, of_today=order.of_today)
        after = _collect(paths, order, copy.parent)
        if _names(before) <= _names(after):
            return facts, after
    raise _restless()


def _restless() -> Conflict:
    return Conflict("Files kept being removed while the backup was made. Try again in a minute.")


def _collect(paths: Paths, order: _Order, scratch: Path) -> Collected:
    return {each.section: each.collect(paths, scratch) for each in order.contributions}


def _names(collected: Collected) -> set[str]:
    return {source.name for sources in collected.values() for source in sources}


def _pack(
    part: Path, copy: Path, facts: portable.Facts, collected: Collected, order: _Order, progress: Progress
) -> Manifest:
    """Write the archive, the manifest last (T01, T02)."""
    sources = [Source(DATABASE, copy), *(source for each in collected.values() for source in each)]
    with disk_errors(part):
        progress.stage("Packing", sum(preflight.size_of(source.path) for source in sources), "bytes")

    def hear(count: int) -> None:
        progress.advance(count)
        progress.check()

    with disk_errors(part), part.open("r+b", buffering=0) as sink, ZipWriter(sink, now=order.created_at) as writer:
        for source in sources:
            _add(writer, source, hear)
        manifest = _manifest(facts, collected, order, writer.members)
        writer.add_bytes(MANIFEST, archive.encode(manifest))
    return manifest


def _add(writer: ZipWriter, source: Source, hear: Callable[[int], None]) -> None:
    """Read one file, whichever it was when it was opened: files are replaced as a whole, never rewritten in place."""
    with disk_errors(source.path):
        try:
            handle = os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _VanishedError from None
    with _NamedFile(handle, source.path) as file:
        writer.add(source.name, file, size=os.fstat(handle).st_size, on_bytes=hear)


class _NamedFile(io.FileIO):
    """An open file whose read errors name it: the archive that grows meanwhile may have errors of its own."""

    def __init__(self, handle: int, path: Path) -> None:
        super().__init__(handle, "rb")
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        with disk_errors(self._path):
            return super().read(size)


def _manifest(facts: portable.Facts, collected: Collected, order: _Order, members: Sequence[Member]) -> Manifest:
    proofs = {member.name: Proof(member.size, member.sha256) for member in members}
    parts = [Part("database", "Configuration", included=True, files=1, size=proofs[DATABASE].size)]
    sections = dict(order.sections)
    for each in order.contributions:
        sources = collected[each.section]
        size = sum(proofs[source.name].size for source in sources)
        why = "" if sources else "there are none"
        parts.append(Part(each.section, each.title, bool(sources), why, len(sources), size))
        sections[each.section] = dict(each.describe(sources))
    return Manifest(
        format=archive.FORMAT,
        app_version=framerr.__version__,
        schema_revision=facts.revision,
        type=order.type,
        serial=order.serial,
        created_at=order.created_at,
        instance=facts.instance,
        included=parts,
        counts=facts.counts,
        files=proofs,
        purged_on_restore=facts.purged,
        sections=sections,
        sealed_elsewhere=facts.sealed_elsewhere,
        note=order.note,
    )


def _require_proven(part: Path, manifest: Manifest, progress: Progress) -> None:
    """Read the archive back from the disk and hold it against what was packed, not against its own manifest alone."""
    verify.forget_cached(part)
    verdict = verify.verify_archive(part, progress)
    if (
        verdict.manifest is None
        or archive.encode(verdict.manifest) != archive.encode(manifest)
        or verdict.state != "good"
    ):
        raise Corrupt(
            f"The backup could not be read back as it was written, so it was thrown away. {verdict.sentence} Look at the "
            f"disk or the mount of {part.parent}."
        )
    if verdict.second_read:
        progress.note(verdict.sentence, "warn")


def _listed(session: Session, made: Made, note: str, now: datetime) -> Backup:
    """The row of a proven archive; a look at the folder may have added one already."""
    row = session.scalar(select(Backup).where(Backup.name == made.path.name))
    if row is None:
        row = Backup(name=made.path.name)
        session.add(row)
    row.size, row.mtime_ns, row.sha256 = made.size, made.mtime_ns, made.sha256
    row.state, row.problem, row.verified_at, row.missing_since = "good", "", now, None
    row.note = note
    folder.describe(row, made.manifest)
    session.flush()
    return row


def _tell(session: Session, row: Backup, caught_up: bool, now: datetime) -> None:
    text = f"The backup {row.name} was made and verified ({size_in_words(row.size)})."
    data = {"name": row.name, "type": row.type, "size": row.size, "caught_up": caught_up}
    events.record(session, MADE, text=text, subject=row.uid, data=data, now=now)


def _note_findings(manifest: Manifest, last_parts: Sequence[Mapping[str, object]], progress: Progress) -> None:
    """Lines in the run's log about what a person should know of this backup (T40)."""
    sealed = credentials.warning(list(manifest.sealed_elsewhere))
    if sealed:
        progress.note(sealed, "warn")
    had = {str(part["section"]): part["files"] for part in last_parts}
    for part in manifest.included:
        if not part.files and had.get(part.section):
            progress.note(f"{part.title}: the last good backup held {had[part.section]} files, this one none.", "warn")
    progress.note(f"{len(manifest.files)} files packed and verified.")
