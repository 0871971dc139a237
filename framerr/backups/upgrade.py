"""One safety copy for one state: an upgrade that fails at every start must not fill the disk with copies of the same.

The copy says in its manifest which state it holds, so nothing beside it can be lost or go stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from framerr.backups import folder, verify
from framerr.backups.folder import Glance
from framerr.core.db import Database
from framerr.core.files import CHUNK, disk_errors
from framerr.core.paths import Paths
from framerr.jobs.progress import Progress

SECTION = "before-upgrade"
_HEADER = 100
# Where SQLite notes how and by which of its versions the file was last written: an upgrade that is taken back leaves
# every page as it was but for these.
_RESTLESS = (slice(18, 20), slice(24, 28), slice(92, 100))


def state_of(db: Database) -> str:
    """The SHA-256 of what is in the database, the same again after an upgrade that was taken back or killed.

    The caller is the only one who writes. Raises Unavailable, DiskFull or Corrupt.
    """
    db.checkpoint()
    digest = hashlib.sha256()
    log = db.path.with_name(f"{db.path.name}-wal")
    with disk_errors(db.path):
        with db.path.open("rb") as file:
            head = bytearray(file.read(_HEADER))
            for place in _RESTLESS:
                head[place] = bytes(len(head[place]))
            digest.update(head)
            while piece := file.read(CHUNK):
                digest.update(piece)
        if log.exists():  # not empty only while another program reads the database
            digest.update(log.read_bytes())
    return digest.hexdigest()


def saved_already(paths: Paths, known: Iterable[Glance], state: str) -> Path | None:
    """The good archive that holds this very state, if there is one; it is read in full. Raises Unavailable."""
    for each in known:
        if each.manifest is None or each.manifest.type != "safety":
            continue
        if each.manifest.sections.get(SECTION) == {"database": state}:
            path = folder.path_of(paths.backups, each.seen.name)
            if verify.verify_archive(path, Progress()).state == "good":
                return path
    return None
