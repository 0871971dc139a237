"""Making the credentials of a database file readable for a portable backup, and sealing them again (R-002-25, R-002-32).

They are found in the schema, by their column type. Works in the caller's transaction on a file beside the live one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Integer, Text, column, func, inspect, literal_column, select, table, update
from sqlalchemy.engine import Connection

from framerr.backups.archive import SealedElsewhere
from framerr.core import crypto
from framerr.core.crypto import InstanceKey
from framerr.core.db import sealed_columns
from framerr.core.errors import Corrupt, Forbidden

_BATCH = 500
DAMAGED = "damaged"


@dataclass(frozen=True)
class _Place:
    table: str
    column: str

    @property
    def context(self) -> str:
        return f"{self.table}.{self.column}"


def make_plain(connection: Connection, key: InstanceKey | None) -> list[SealedElsewhere]:
    """Replace every sealed credential by its readable form, and say which could not be.

    Those of another key, and damaged ones (under the fingerprint "damaged"), stay as they are; without a key, all do.
    """
    left: Counter[tuple[_Place, str]] = Counter()
    for place, row, text in _values(connection):
        if crypto.is_plain(text):
            continue
        try:
            plain = key.open(text, place.context) if key else None
        except (Forbidden, Corrupt):
            plain = None
        if plain is None:
            left[place, fingerprint(text)] += 1
        else:
            _replace(connection, place, row, crypto.to_plain(plain))
    return _listed(left)


def seal_plain(connection: Connection, key: InstanceKey) -> list[SealedElsewhere]:
    """Seal every readable credential with `key`, and say which stay sealed with another one."""
    left: Counter[tuple[_Place, str]] = Counter()
    for place, row, text in _values(connection):
        if crypto.is_plain(text):
            _replace(connection, place, row, key.seal(crypto.from_plain(text), place.context))
        elif (by := fingerprint(text)) != key.fingerprint:
            left[place, by] += 1
    return _listed(left)


def fingerprint(text: str) -> str:
    """Which key sealed a value; "damaged" when it is in no form that tells."""
    try:
        return crypto.sealed_with(text)
    except Corrupt:
        return DAMAGED


def warning(left: list[SealedElsewhere]) -> str | None:
    """The sentence about credentials that are still sealed with another key, if any are."""
    if not left:
        return None
    rows = sum(each.rows for each in left)
    keys = " and ".join(sorted({each.fingerprint for each in left}))
    what = "1 credential is" if rows == 1 else f"{rows} credentials are"
    return (
        f"{what} sealed with another key ({keys}) and cannot be read with the key of this instance. Put that key back, "
        "or enter them again under Settings → Integrations."
    )


def _listed(left: Counter[tuple[_Place, str]]) -> list[SealedElsewhere]:
    ordered = sorted(left.items(), key=lambda each: (each[0][0].context, each[0][1]))
    return [SealedElsewhere(place.table, place.column, by, rows) for (place, by), rows in ordered]


def _values(connection: Connection) -> Iterator[tuple[_Place, int, str]]:
    """Every value of every credential column that the file has, a batch at a time while they are being replaced."""
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    for table_name, column_name in sealed_columns():
        if table_name not in present:
            continue
        if column_name not in {each["name"] for each in inspector.get_columns(table_name)}:
            continue
        place = _Place(table_name, column_name)
        rowid, value = literal_column("rowid", Integer), column(column_name, Text)
        is_text = func.typeof(value) == "text"
        wanted = select(rowid, value).select_from(table(table_name)).where(is_text).order_by(rowid)
        last = -(2**63)
        while batch := connection.execute(wanted.where(rowid > last).limit(_BATCH)).all():
            for row, text in batch:
                yield place, row, text
            last = batch[-1][0]


def _replace(connection: Connection, place: _Place, row: int, text: str) -> None:
    change = update(table(place.table, column(place.column))).where(literal_column("rowid") == row)
    connection.execute(change.values({place.column: text}))
