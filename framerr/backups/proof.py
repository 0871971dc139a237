"""Holding the members of an open archive against its manifest: names, sizes, SHA-256, all of them (T07, T08, T09).

A ZIP's own checks are no proof: a damaged directory renames files silently, and a database with flipped bits still
passes SQLite's checks (measured).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import PurePosixPath

from framerr.backups import archive, foreign
from framerr.backups.archive import DATABASE, MANIFEST, Manifest
from framerr.core.errors import Corrupt, InvalidInput
from framerr.core.zips import ZipReader

_LEFT_BY_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def read_manifest(reader: ZipReader) -> Manifest:
    """The manifest of an open archive.

    Raises InvalidInput when it is another program's archive, Incompatible when it is from a newer version, Corrupt
    when it is ours but not complete.
    """
    names = reader.names()
    if MANIFEST in names:
        return archive.decode(reader.read(MANIFEST, limit=archive.MANIFEST_LIMIT))
    if DATABASE in names:
        raise Corrupt(
            "This archive holds a framerr.db but no manifest.json, so nothing says whether it is complete. Use another "
            "backup."
        )
    program = foreign.program_of(names)
    who = f"a {program} archive" if program else "not a backup of Framerr: it has no manifest.json"
    raise InvalidInput(f"This is {who}. Choose the .zip file that Framerr made as a backup.")


def unlisted(names: Collection[str], manifest: Manifest) -> list[str]:
    """Members that the manifest does not know, without what systems add when a person packs an archive again."""
    known = manifest.files.keys() | {MANIFEST}
    return [
        name
        for name in names
        if name not in known and not name.startswith("__MACOSX/") and PurePosixPath(name).name not in _LEFT_BY_SYSTEMS
    ]


def faults(
    reader: ZipReader,
    manifest: Manifest,
    only: Collection[str] | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> dict[str, str]:
    """Member to what is wrong with it: missing, unlisted, another size, other bytes. Empty means proven.

    `only` limits the reading to these names; names and sizes are compared in any case. Raises Unavailable when the archive cannot be read at all.
    """
    names = reader.names()
    sizes = reader.sizes
    found = dict.fromkeys(unlisted(names, manifest), "is not in the manifest")
    if DATABASE not in manifest.files:
        found[DATABASE] = "is not in the manifest"
    for name, proof in manifest.files.items():
        if name not in sizes:
            found[name] = "is missing"
        elif sizes[name] != proof.size:
            found[name] = "has another size"
        elif (only is None or name in only) and not _matches(reader, name, proof.sha256, on_bytes):
            found[name] = "has other bytes"
    return found


def _matches(reader: ZipReader, name: str, sha256: str, on_bytes: Callable[[int], None] | None) -> bool:
    try:
        return reader.digest(name, on_bytes).sha256 == sha256
    except Corrupt:
        return False
