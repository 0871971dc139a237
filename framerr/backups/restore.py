"""Preparing a restore: everything is done beside the live data, and only a marker makes it happen at the next boot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from framerr.backups import create, credentials, database, inspect, portable, preflight, proof, staging, tables
from framerr.backups.archive import DATABASE, Manifest, file_name
from framerr.backups.contributions import STANDARD, Contribution
from framerr.core import migrations
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database, open_file
from framerr.core.errors import Corrupt, InvalidInput, LimitExceeded
from framerr.core.files import disk_errors, empty_folder
from framerr.core.paths import Paths
from framerr.core.text import legible
from framerr.core.zips import Limits, open_archive
from framerr.jobs.progress import Progress

_NAME_LENGTH = 200
STAGES = 5 + create.STAGES
"""How many stages `stage` tells, the safety backup's included."""


@dataclass(frozen=True)
class Staged:
    """A restore that waits for the next boot. `what` names the archive; `warnings` are for the person who asked."""

    what: str
    way_back: staging.WayBack
    warnings: tuple[str, ...]


def _always() -> None:
    """Nothing has to be asked again before a restore is announced."""


def stage(
    db: Database | None,
    paths: Paths,
    key: InstanceKey,
    source: Path,
    *,
    name: str = "",
    requested_by: str = "",
    limits: Limits | None = None,
    contributions: Sequence[Contribution] = STANDARD,
    still_wanted: Callable[[], None] = _always,
    progress: Progress,
    now: datetime,
) -> Staged:
    """Unpack an archive, secure the way back, and prepare its state as this instance's next one.

    Every hash is compared and the database opened before anything is made of it; then it is migrated, purged (R-002-18
    to R-002-23), its credentials sealed with `key` (R-002-32), this folder's own rows carried over, compacted, synced.
    `db` is None when the live database cannot be opened. `name` is what people call the file. `still_wanted` is asked at the very end, before the restore is
    announced, and raises to call it off.
    Raises what `inspect_archive` raises, Conflict while another restore is under way, DiskFull, Unavailable, Cancelled;
    the live data is untouched in every case.
    """
    progress.plan(STAGES)
    with staging.emptied_unless_announced(paths) as staged:
        manifest = _unpack_proven(paths, source, staged, limits, contributions, progress)
        database.require_openable(staged / "data" / DATABASE, manifest)
        database.require_administrator(staged / "data" / DATABASE)
        name = legible(name, _NAME_LENGTH) or _told_name(source, manifest)
        what = f"{name}, made {manifest.created_at:%Y-%m-%d %H:%M} UTC"
        way_back = staging.secure_way_back(
            db, paths, key, f"Before the restore of {name}", progress, now, limits=limits
        )
        sealed = _prepare(staged / "data" / DATABASE, staging.local_rows(db), key, manifest, progress)
        progress.stage("Finishing")
        progress.safe_to_cancel(False)
        still_wanted()
        staging.announce(paths, way_back, "restore", what, requested_by, now)
    outdated = credentials.warning(manifest.sealed_elsewhere)
    told = [warning for warning in inspect.warnings(manifest, contributions) if warning != outdated]
    told += [sealed] if sealed else []
    told += [way_back.sentence] if way_back.set_aside else []
    return Staged(what, way_back, tuple(told))


def _told_name(source: Path, manifest: Manifest) -> str:
    """An upload lies here under a random name; people know the one that its manifest gives it."""
    return source.name if source.suffix == ".zip" else file_name(manifest.type, manifest.created_at)


def _unpack_proven(
    paths: Paths,
    source: Path,
    staged: Path,
    limits: Limits | None,
    contributions: Sequence[Contribution],
    progress: Progress,
) -> Manifest:
    """Unpack everything, each member held against the manifest, reading the archive once.

    What cannot be unpacked is inspected, for the sentence that says why; a disk that only stuttered gets a second
    chance (T10).
    """
    try:
        return _unpack(paths, source, staged, limits, contributions, progress)
    except (Corrupt, InvalidInput, LimitExceeded):
        with disk_errors(staged):
            empty_folder(staged)
        inspect.inspect_archive(source, paths, progress, limits=limits, contributions=contributions)
    return _unpack(paths, source, staged, limits, contributions, progress)


def _unpack(
    paths: Paths,
    source: Path,
    staged: Path,
    limits: Limits | None,
    contributions: Sequence[Contribution],
    progress: Progress,
) -> Manifest:
    with open_archive(source, limits) as reader:
        manifest = proof.read_manifest(reader)
        inspect.require_known(manifest)
        if proof.faults(reader, manifest, only=()):
            raise Corrupt("The list of files in the archive does not match its manifest.")
        _require_room(paths, manifest)
        progress.stage("Unpacking", sum(each.size for each in manifest.files.values()), "bytes")
        data = Path("data")
        staging.make_folders(staged, [data, *(Path(each.into, each.section) for each in contributions)])
        for name, known in manifest.files.items():
            owner = next((each for each in contributions if each.owns(name)), None)
            if owner is None and name != DATABASE:
                continue
            found = reader.extract(name, staged / (owner.into if owner else data), progress.advance)
            progress.check()
            if (found.size, found.sha256) != (known.size, known.sha256):
                raise Corrupt(f"{name} in the archive has other bytes than its manifest says.")
        return manifest


def _require_room(paths: Paths, manifest: Manifest) -> None:
    """Unpacked, once more the database while it is compacted, and the safety backup."""
    live, files = preflight.sizes(paths, [])
    unpacked = sum(each.size for each in manifest.files.values())
    preflight.require_room({paths.staging: unpacked + manifest.files[DATABASE].size + live + files})


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
        portable.require_readable(connection, "The database in this backup")
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
