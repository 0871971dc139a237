"""The backups folder and its list: the folder is the truth, the rows add what a file cannot say of itself.

People put anything there. Whatever is odd about one file, its name included, is a word about that file and never keeps
the rest from being listed.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import framerr
from framerr.backups import pinfiles, proof
from framerr.backups.archive import NAME, Manifest
from framerr.backups.models import Backup, State
from framerr.backups.pinfiles import Pin
from framerr.core.db import Database
from framerr.core.errors import Corrupt, Incompatible, InvalidInput, LimitExceeded, NotFound, Unavailable
from framerr.core.files import disk_errors
from framerr.core.paths import Paths
from framerr.core.text import escaped, unescaped
from framerr.core.zips import Limits, open_archive
from framerr.settings.instance import believable
from framerr.settings.models import Instance

FORGOTTEN_AFTER = timedelta(days=90)
_LOOK_AGAIN = -1
_LATEST_NS = 2**63 - 1
_JUDGED_BY = "judged_by"


@dataclass(frozen=True)
class FileSeen:
    """A file as the folder shows it now. `name` is `escaped`, so that every list and log can hold it."""

    name: str
    size: int
    mtime_ns: int
    is_pinned: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Glance:
    """What a file says of itself without being read in full: its manifest, or why it has none that can be used."""

    seen: FileSeen
    manifest: Manifest | None
    state: State
    problem: str


def scan(folder: Path) -> dict[str, FileSeen]:
    """The regular files of the folder by name; hidden ones (parts among them) are left out, and what cannot be looked at.

    Raises Unavailable when the folder cannot be listed, or nothing in it can be looked at.
    """
    found: dict[str, FileSeen] = {}
    failure: OSError | None = None
    with disk_errors(folder):
        entries = list(folder.iterdir())
        hidden = {path.name for path in entries if path.name.startswith(".")}
        for path in entries:
            if path.name in hidden:
                continue
            try:
                facts = path.lstat()
            except FileNotFoundError:
                continue
            except OSError as error:
                failure = error
                continue
            if stat.S_ISREG(facts.st_mode):
                name = escaped(path.name)
                is_pinned = pinfiles.name_for(path.name) in hidden
                found[name] = FileSeen(name, facts.st_size, min(max(facts.st_mtime_ns, 0), _LATEST_NS), is_pinned)
        if failure is not None and not found:
            raise failure
    return found


def glance(folder: Path, seen: FileSeen, limits: Limits | None = None) -> Glance:
    """Read only the list of members and the manifest of a file.

    One that cannot be read now, or not within the limits, is looked at again each time: neither is a fault of the file.
    """
    try:
        with open_archive(path_of(folder, seen.name), limits) as reader:
            return Glance(seen, proof.read_manifest(reader), "unverified", "")
    except (Unavailable, LimitExceeded) as error:
        return Glance(replace(seen, mtime_ns=_LOOK_AGAIN), None, "foreign", error.message)
    except (InvalidInput, Corrupt, Incompatible, NotFound) as error:
        ours = NAME.fullmatch(seen.name) is not None and not isinstance(error, Incompatible)
        return Glance(seen, None, "damaged" if ours else "foreign", error.message)


def path_of(folder: Path, name: str) -> Path:
    """The file that the list calls `name`."""
    return folder / unescaped(name)


def reconcile(db: Database, paths: Paths, *, limits: Limits | None = None, now: datetime) -> None:
    """Make the list follow the folder: files copied in appear, changed ones are read anew, removed ones disappear.

    A pin beside a file pins it here too. A row that is pinned stays, however long its file is away. Files are compared by name, size and time; only new and changed ones are opened, and no transaction is open
    meanwhile. Raises Unavailable when the folder cannot be listed; the list then stays as it is.
    """
    with db.reading() as session:
        known = {row.name: _Known.of(row) for row in session.scalars(select(Backup))}
    files = scan(paths.backups)
    fresh = [seen for name, seen in files.items() if name not in known or not known[name].says_of(seen)]
    glances = [glance(paths.backups, seen, limits) for seen in fresh]
    unknown = [seen.name for seen in files.values() if seen.is_pinned and not _is_pinned(known.get(seen.name))]
    pins = {name: pinfiles.read(path_of(paths.backups, name)) for name in unknown}
    changes = _Changes(
        glances,
        {name: pin for name, pin in pins.items() if pin is not None},
        gone={row.id for row in known.values() if row.seen.name not in files and row.missing_since is None},
        back={row.id for row in known.values() if row.seen.name in files and row.missing_since is not None},
        forgotten={row.id for row in known.values() if row.seen.name not in files and row.is_forgotten(now)},
    )
    if changes.is_any:
        with db.writing() as session:
            _follow(session, changes, known, now)


def present(session: Session) -> Sequence[Backup]:
    """The listed files that are there, newest first."""
    newest_first = (Backup.created_at.desc(), Backup.serial.desc(), Backup.name.desc())
    return session.scalars(select(Backup).where(Backup.missing_since.is_(None)).order_by(*newest_first)).all()


def get(session: Session, uid: str) -> Backup:
    """A listed backup. Raises NotFound."""
    row = session.scalar(select(Backup).where(Backup.uid == uid, Backup.missing_since.is_(None)))
    if row is None:
        raise NotFound("This backup is not in the list any more. Reload the list.")
    return row


def own_uid(session: Session) -> str:
    """The id of this instance; empty before it has one."""
    return session.scalar(select(Instance.uid)) or ""


def newest_good(session: Session) -> Backup | None:
    """The newest backup of this instance that was proven good."""
    own = own_uid(session)
    good = [row for row in present(session) if row.state == "good" and row.instance_uid == own]
    return max(good, key=lambda row: row.serial, default=None)


def highest_serial(session: Session) -> int:
    """The highest number of this instance's archives, those that are missing now included; 0 when there are none."""
    own = own_uid(session)
    rows = session.scalars(select(Backup).where(Backup.instance_uid == own))
    return max((believable(row.serial) for row in rows), default=0)


def file_of(paths: Paths, row: Backup) -> Path:
    return path_of(paths.backups, row.name)


def is_beside_data(paths: Paths) -> bool:
    """Whether backups lie on the same file system as the data, and would be lost with it. Raises Unavailable."""
    with disk_errors(paths.backups):
        return paths.backups.stat().st_dev == paths.data.stat().st_dev


def describe(row: Backup, manifest: Manifest) -> None:
    """Copy onto a row what its manifest says."""
    row.type, row.serial = manifest.type, believable(manifest.serial)
    row.created_at = manifest.created_at.astimezone(UTC)
    row.app_version = manifest.app_version[:40]
    row.instance_uid, row.instance_name = manifest.instance.id[:64], manifest.instance.name[:200]
    row.note = row.note or manifest.note
    row.contents = contents(manifest)


def contents(manifest: Manifest) -> dict[str, Any]:
    """What the list shows of an archive without opening it."""
    return {
        "files": len(manifest.files),
        "unpacked": sum(each.size for each in manifest.files.values()),
        "counts": manifest.counts,
        "parts": [
            {"section": part.section, "title": part.title, "included": part.included, "why": part.why,
             "files": part.files, "size": part.size}
            for part in manifest.included
        ],
        "sealed_elsewhere": sum(each.rows for each in manifest.sealed_elsewhere),
    }  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """What a row said when the folder was looked at; nobody else may have changed it before it is written."""

    id: int
    seen: FileSeen
    missing_since: datetime | None
    is_outdated: bool
    is_pinned: bool

    @classmethod
    def of(cls, row: Backup) -> _Known:
        outdated = row.state == "foreign" and row.contents.get(_JUDGED_BY) != framerr.__version__
        seen = FileSeen(row.name, row.size, row.mtime_ns)
        return cls(row.id, seen, row.missing_since, outdated, row.pinned_at is not None)

    def says_of(self, seen: FileSeen) -> bool:
        """Whether the row describes this very file, by a version that knew as much as this one."""
        return self.seen == seen and not self.is_outdated

    def is_forgotten(self, now: datetime) -> bool:
        return self.missing_since is not None and now - self.missing_since > FORGOTTEN_AFTER and not self.is_pinned


def _is_pinned(known: _Known | None) -> bool:
    return known is not None and known.is_pinned


@dataclass(frozen=True)
class _Changes:
    glances: Sequence[Glance]
    pins: Mapping[str, Pin]
    gone: set[int]
    back: set[int]
    forgotten: set[int]

    @property
    def is_any(self) -> bool:
        return bool(self.glances or self.pins or self.gone or self.back or self.forgotten)


def _follow(session: Session, changes: _Changes, known: Mapping[str, _Known], now: datetime) -> None:
    for each in changes.glances:
        _take_in(session, each, known.get(each.seen.name))
    session.flush()
    for row in session.scalars(select(Backup).where(Backup.name.in_(changes.pins), Backup.pinned_at.is_(None))):
        pin = changes.pins[row.name]
        row.pinned_at, row.note = pin.pinned_at or now, pin.note or row.note
    for row in session.scalars(select(Backup).where(Backup.id.in_(changes.gone | changes.back))):
        row.missing_since = now if row.id in changes.gone else None
    for row in session.scalars(select(Backup).where(Backup.id.in_(changes.forgotten))):
        session.delete(row)


def _take_in(session: Session, found: Glance, before: _Known | None) -> None:
    """Add or renew a row, unless somebody else added, changed or deleted it since the folder was looked at."""
    row = session.scalar(select(Backup).where(Backup.name == found.seen.name))
    if (_Known.of(row) if row else None) != before:
        return
    if row is None:
        row = Backup(name=found.seen.name)
        session.add(row)
    row.size, row.mtime_ns, row.sha256 = found.seen.size, found.seen.mtime_ns, None
    row.state, row.problem, row.verified_at, row.missing_since = found.state, found.problem, None, None
    if found.manifest is not None:
        describe(row, found.manifest)
    else:
        row.type, row.serial = "other", 0
        row.created_at = datetime.fromtimestamp(max(0, found.seen.mtime_ns) // 10**9, UTC)
        row.contents = {_JUDGED_BY: framerr.__version__}
