"""Looking into an archive before anything is restored from it. Reads only; the one file it writes is below
`incoming/tmp` and gone when it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from framerr.backups import credentials, database, folder, verify
from framerr.backups.archive import DATABASE, Manifest
from framerr.backups.contributions import STANDARD, Contribution
from framerr.core import migrations
from framerr.core.db import Fate, fates
from framerr.core.errors import Corrupt, Incompatible, InvalidInput
from framerr.core.paths import Paths
from framerr.core.zips import Limits
from framerr.jobs.progress import Progress


@dataclass(frozen=True)
class Line:
    """A line of the page: "Users", 4, "accounts with their passwords". `count` is None where a number says nothing."""

    name: str
    count: int | None
    words: str


@dataclass(frozen=True)
class Inspection:
    """A good archive of a version that can be restored here, and all the page says of it.

    `warnings` are sentences about what will not come back as expected.
    """

    name: str
    size: int
    manifest: Manifest
    files_matched: int
    unpacked_size: int
    needs_upgrade: bool
    comes_back: tuple[Line, ...]
    starts_empty: tuple[Line, ...]
    not_included: tuple[Line, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Against:
    """An archive beside what is here. `newer_here`: when the newest good backup of this instance was made, if later."""

    is_own: bool
    newer_here: datetime | None


def inspect_archive(
    path: Path,
    paths: Paths,
    progress: Progress,
    *,
    limits: Limits | None = None,
    contributions: Sequence[Contribution] = STANDARD,
) -> Inspection:
    """Prove every member, open the database, and say what a restore would bring.

    Raises InvalidInput (no backup, another program's, which is named, or nobody in it could sign in), LimitExceeded, Corrupt, Incompatible (from
    a newer version, naming both: T19), NotFound, Unavailable, DiskFull. Each is a sentence; nothing was changed.
    """
    verdict = verify.verify_archive(path, progress, limits=limits)
    if verdict.manifest is None or verdict.state != "good":
        raise _REFUSALS.get(verdict.state, Corrupt)(verdict.sentence)
    manifest = verdict.manifest
    require_known(manifest)
    progress.stage("Opening the database")
    database.open_inside(path, paths, manifest, limits, to_restore=True)
    second_reading = (verdict.sentence,) if verdict.second_read else ()
    return Inspection(
        name=path.name,
        size=path.stat().st_size,
        manifest=manifest,
        files_matched=verdict.files,
        unpacked_size=sum(proof.size for proof in manifest.files.values()),
        needs_upgrade=manifest.schema_revision != migrations.head(),
        comes_back=tuple(_comes_back(manifest, contributions)),
        starts_empty=tuple(_starts_empty(manifest)),
        not_included=tuple(Line(part.title, None, part.why) for part in manifest.included if not part.included),
        warnings=(*second_reading, *warnings(manifest, contributions)),
    )


def require_known(manifest: Manifest) -> None:
    """Raises Incompatible, naming both versions, when the archive's schema is not known here (T19)."""
    migrations.require_known(
        manifest.schema_revision, f"This backup (made by version {manifest.app_version}, {_day(manifest)})"
    )


def against(session: Session, manifest: Manifest) -> Against:
    """Compare an archive with this instance: is it its own, and is it older than the newest good backup here?"""
    newest = folder.newest_good(session)
    is_newer = newest is not None and newest.created_at > manifest.created_at
    own = folder.own_uid(session)
    return Against(bool(own) and manifest.instance.id == own, newest.created_at if newest and is_newer else None)


_REFUSALS: dict[str, type[InvalidInput | Corrupt | Incompatible]] = {
    "foreign": InvalidInput,
    "unsupported": Incompatible,
}


def warnings(manifest: Manifest, contributions: Sequence[Contribution]) -> list[str]:
    """Sentences about what will not come back as a person may expect."""
    found = [credentials.warning(manifest.sealed_elsewhere)]
    unclaimed = sorted(name for name in manifest.files if name != DATABASE and not _is_claimed(name, contributions))
    if unclaimed:
        what = "1 file belongs" if len(unclaimed) == 1 else f"{len(unclaimed)} files belong"
        found.append(
            f"{what} to a part that this version does not know and will not be restored, for example {unclaimed[0]}."
        )
    return [sentence for sentence in found if sentence]


def _is_claimed(name: str, contributions: Sequence[Contribution]) -> bool:
    return any(contribution.owns(name) for contribution in contributions)


def _comes_back(manifest: Manifest, contributions: Sequence[Contribution]) -> Iterable[Line]:
    words = {each.section: each.words for each in contributions}
    parts = [part for part in manifest.included if part.included and part.section in words]
    # Files say more than the rows that name them.
    told = {part.title for part in parts}
    for table, fate in fates().items():
        rows = manifest.counts.get(table, 0)
        if fate.fate is Fate.KEEP and fate.name and fate.keep_where is None and rows and fate.name not in told:
            yield Line(fate.name, rows, fate.words)
    for part in parts:
        yield Line(part.title, part.files, words[part.section])


def _starts_empty(manifest: Manifest) -> Iterable[Line]:
    rows = {purged.table: purged for purged in manifest.purged_on_restore}
    for table, fate in fates().items():
        if fate.name and (fate.fate is Fate.PURGE or fate.keep_where is not None):
            yield Line(fate.name, rows[table].rows if table in rows else None, fate.words)


def _day(manifest: Manifest) -> str:
    return manifest.created_at.date().isoformat()
