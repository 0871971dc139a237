"""Whether a restored instance holds everything: enumerated from the schema and the folders, not by hand (T21, T22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from framerr.backups.archive import DATABASE
from framerr.core.crypto import InstanceKey, from_plain, is_plain
from framerr.core.db import Base, Fate, Sealed, fates, open_file
from framerr.core.errors import Corrupt
from framerr.core.files import sha256_file
from framerr.core.paths import Paths
from framerr.core.zips import open_archive

# Grow by themselves while an instance lives; what the archive holds of them must still be there, unchanged.
JOURNALS = frozenset({"events", "audit_entries", "runs", "run_lines"})
Rows = Mapping[tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class Counted:
    """What was found equal."""

    tables: int
    rows: int
    credentials: int
    files: int


def compare(archive: Path, first: Paths, first_key: InstanceKey, second: Paths, second_key: InstanceKey) -> Counted:
    """Hold both stopped instances against the archive and against each other. Raises Corrupt at the first difference."""
    kept = [Base.metadata.tables[name] for name, fate in fates().items() if fate.fate is Fate.KEEP]
    with TemporaryDirectory(prefix="compare-", dir=second.tmp) as scratch:
        with open_archive(archive) as reader:
            reader.extract(DATABASE, Path(scratch))
        inside = _read(Path(scratch) / DATABASE, kept, None)
    before, after = _read(first.database, kept, first_key), _read(second.database, kept, second_key)
    for table in kept:
        name = str(table.name)
        _require_same(name, inside[name], before[name], "the first instance")
        _require_same(name, inside[name], after[name], "the restored instance")
    sealed = sum(len(inside[str(table.name)]) for table in kept if any(_is_sealed(column) for column in table.columns))
    rows = sum(len(found) for found in inside.values())
    return Counted(len(kept), rows, sealed, _require_same_files(first, second))


def _read(path: Path, tables: list[Table], key: InstanceKey | None) -> dict[str, Rows]:
    with open_file(path, read_only=True) as connection:
        return {str(table.name): _rows(connection, table, key) for table in tables}


def _rows(connection: Connection, table: Table, key: InstanceKey | None) -> Rows:
    ids = [column.name for column in table.primary_key]
    sealed = [column.name for column in table.columns if _is_sealed(column)]
    found = {}
    for row in connection.execute(select(table)).mappings():
        opened = {name: _opened(row[name], f"{table.name}.{name}", key) for name in sealed}
        found[tuple(row[name] for name in ids)] = dict(row) | opened
    return found


def _opened(value: str, context: str, key: InstanceKey | None) -> str:
    if key is not None:
        return key.open(value, context)
    if not is_plain(value):
        raise Corrupt(f"{context} in the archive is not readable.")
    return from_plain(value)


def _is_sealed(column: Any) -> bool:
    return isinstance(column.type, Sealed)


def _require_same(table: str, wanted: Rows, found: Rows, where: str) -> None:
    for key, row in wanted.items():
        if found.get(key) != row:
            raise Corrupt(f"The row {key} of {table} differs in {where}: {found.get(key)} instead of {row}.")
    added = found.keys() - wanted.keys()
    if added and table not in JOURNALS:
        raise Corrupt(f"{where.capitalize()} has rows in {table} that the archive does not hold: {sorted(added)}.")


def _require_same_files(first: Paths, second: Paths) -> int:
    count = 0
    for name in ("profile_pictures", "custom_icons", "favicon"):
        before, after = _digests(getattr(first, name)), _digests(getattr(second, name))
        if before != after:
            different = sorted(before.items() ^ after.items())
            raise Corrupt(f"The files in {name} differ: {different}.")
        count += len(before)
    return count


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256_file(path)[0] for path in folder.rglob("*") if path.is_file()}
