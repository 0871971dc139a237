"""Preparing a restore: everything is done beside the live data, and only a marker makes it happen at the next boot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from framerr.backups import create, credentials, portable, preflight, staging, tables
from framerr.backups.archive import DATABASE, Manifest, file_name
from framerr.backups.contributions import STANDARD, Contribution
from framerr.backups.inspect import Inspection, inspect_archive
from framerr.core import migrations
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database, open_file
from framerr.core.errors import Corrupt
from framerr.core.paths import Paths
from framerr.core.zips import Limits, ZipReader, open_archive
from framerr.jobs.progress import Progress

STAGES = 7 + create.STAGES
"""How many stages `stage` tells, the safety backup's included."""


@dataclass(frozen=True)
class Staged:
    """A restore that waits for the next boot. `what` names the archive; `warnings` are for the person who asked."""

    what: str
    way_back: staging.WayBack
    warnings: tuple[str, ...]


def stage(
    db: Database | None,
    paths: Paths,
    key: InstanceKey,
    source: Path,
    *,
    requested_by: str = "",
    limits: Limits | None = None,
    contributions: Sequence[Contribution] = STANDARD,
    progress: Progress,
    now: datetime,
) -> Staged:
    """Inspect an archive, secure the way back, and prepare its state as this instance's next one.

    Unpacked, every hash compared, migrated, purged (R-002-18 to R-002-23), credentials sealed with `key` (R-002-32),
    this folder's own rows carried over, compacted, synced. `db` is None when the live database cannot be opened.
    Raises what `inspect_archive` raises, Conflict while another restore is under way, DiskFull, Unavailable, Cancelled;
    the live data is untouched in every case.
    """
    with staging.emptied_unless_announced(paths) as staged:
        inspection = inspect_archive(source, paths, progress, limits=limits, contributions=contributions)
        _require_room(paths, inspection)
        name = _told_name(source, inspection.manifest)
        what = f"{name}, made {inspection.manifest.created_at:%Y-%m-%d %H:%M} UTC"
        way_back = staging.secure_way_back(db, paths, key, f"Before the restore of {name}", progress, now)
        with open_archive(source, limits) as reader:
            _unpack(reader, inspection.manifest, staged, contributions, progress)
        sealed = _prepare(staged / "data" / DATABASE, staging.local_rows(db), key, inspection.manifest, progress)
        progress.stage("Finishing")
        progress.safe_to_cancel(False)
        staging.announce(paths, way_back, "restore", what, requested_by, now)
    outdated = credentials.warning(inspection.manifest.sealed_elsewhere)
    told = [warning for warning in inspection.warnings if warning != outdated]
    told += [sealed] if sealed else []
    told += [way_back.sentence] if way_back.set_aside else []
    return Staged(what, way_back, tuple(told))


def _told_name(source: Path, manifest: Manifest) -> str:
    """An upload lies here under a random name; people know the one that its manifest gives it."""
    return source.name if source.suffix == ".zip" else file_name(manifest.type, manifest.created_at)


def _require_room(paths: Paths, inspection: Inspection) -> None:
    """Unpacked, once more the database while it is compacted, and the safety backup."""
    database, files = preflight.sizes(paths, [])
    staged = inspection.unpacked_size + inspection.manifest.files[DATABASE].size
    preflight.require_room({paths.staging: staged + database + files})


def _unpack(
    reader: ZipReader, manifest: Manifest, staged: Path, contributions: Sequence[Contribution], progress: Progress
) -> None:
    """Put every member where it belongs, proving it once more on the way: the file may have changed since."""
    progress.stage("Unpacking", sum(proof.size for proof in manifest.files.values()), "bytes")
    data = Path("data")
    staging.make_folders(staged, [data, *(Path(each.into, each.section) for each in contributions)])
    for name, proof in manifest.files.items():
        owner = next((each for each in contributions if each.owns(name)), None)
        if owner is None and name != DATABASE:
            continue
        found = reader.extract(name, staged / (owner.into if owner else data), progress.advance)
        progress.check()
        if (found.size, found.sha256) != (proof.size, proof.sha256):
            raise Corrupt(f"{name} in the archive changed after it was inspected. Nothing was restored. Try again.")


def _prepare(
    path: Path, local_rows: dict[str, list[dict[str, Any]]], key: InstanceKey, manifest: Manifest, progress: Progress
) -> str | None:
    """Turn the archive's database into this instance's; the sentence about credentials of another key, if any."""
    progress.stage("Upgrading the database")
    with open_file(path) as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        # Rules between tables are off here: rebuilding a table would otherwise delete what points at it.
        migrations.upgrade(connection)
        connection.exec_driver_sql("COMMIT")
        progress.stage("Sealing credentials")
        portable.careful(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        tables.clear(connection)
        staging.settle(connection, local_rows, key, manifest.serial)
        left = credentials.seal_plain(connection, key)
        connection.exec_driver_sql("COMMIT")
    progress.stage("Compacting the database")
    portable.compact(path)
    with open_file(path, read_only=True) as connection:
        portable.require_sound(connection, "The restored database")
    return credentials.warning(left)
