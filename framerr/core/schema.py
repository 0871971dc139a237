"""A database file against the schema: is it made of our tables and rules alone, and can every value be read?

SQLite's own checks answer neither: a file that is sound to them may hold a trigger of a stranger, or a date that is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnClause,
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    column,
    false,
    func,
    inspect,
    or_,
    select,
)
from sqlalchemy import table as nameless
from sqlalchemy.engine import Connection

from framerr.core.db import Base, Json, Sealed, UtcDateTime
from framerr.core.errors import Corrupt

Shape = Mapping[tuple[str, str], str]
"""Kind and name of everything a file is made of, with the statement that made it."""

_SQLITES_OWN = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})
_MOST = 1000
_SECONDS = "%Y-%m-%dT%H:%M:%S"
_FRACTION = ".[0-9][0-9][0-9][0-9][0-9][0-9]Z"


def shape(connection: Connection) -> Shape:
    """What an open file is made of; how its statements are spaced and quoted does not count.

    Raises Corrupt when that is more than any version of this program makes.
    """
    wanted = "SELECT type, name, tbl_name, sql FROM sqlite_master"
    rows = connection.exec_driver_sql(wanted).fetchmany(_MOST + 1)
    if len(rows) > _MOST:
        raise Corrupt("The database has thousands of tables and indexes; Framerr makes a few dozen.")
    return {
        (str(kind), str(name)): f"{table}: {_plainly(str(statement))}"
        for kind, name, table, statement in rows
        if statement is not None and not (kind == "table" and name in _SQLITES_OWN)
    }


def differences(found: Shape, wanted: Shape) -> list[str]:
    """What one file has and the other has not, in words."""
    foreign = [f"{kind} {name} does not belong there" for kind, name in found if (kind, name) not in wanted]
    missing = [f"{kind} {name} is missing" for kind, name in wanted if (kind, name) not in found]
    other = [f"{kind} {name} is another one" for kind, name in found if wanted.get((kind, name), "") not in
             {"", found[kind, name]}]  # fmt: skip
    return foreign + missing + other


def drop_strangers(connection: Connection, wanted: Shape) -> list[str]:
    """Remove from an open file what people or other programs added to it, and name it; our own is not touched.

    Triggers go first, so that none of them fires.
    """
    strangers = [key for key in shape(connection) if key not in wanted]
    quote = connection.dialect.identifier_preparer.quote_identifier
    for kind, name in sorted(strangers, key=lambda key: ("trigger", "view", "index", "table").index(key[0])):
        connection.exec_driver_sql(f"DROP {kind} IF EXISTS {quote(name)}")
    return [f"{kind} {name}" for kind, name in strangers]


def value_faults(connection: Connection, names: Collection[str] | None = None) -> list[str]:
    """Which columns hold values that are not of their type (T17), in all tables or the named ones. Nothing is quoted.

    Tables and columns that the file does not have are no fault here.
    """
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    faults: list[str] = []
    for table in Base.metadata.sorted_tables:
        if table.name not in present or (names is not None and table.name not in names):
            continue
        there = {found["name"] for found in inspector.get_columns(table.name)}
        columns = [declared for declared in table.columns if declared.name in there]
        counts = [func.total(case((_is_unreadable(declared), 1), else_=0)) for declared in columns]
        found = connection.execute(select(*counts).select_from(nameless(table.name))).one()
        faults += [
            f"{declared.name} of {table.name} cannot be read in {_rows(count)}"
            for declared, count in zip(columns, found, strict=True)
            if count
        ]
    return faults


def _is_unreadable(declared: Column[Any]) -> ColumnElement[bool]:
    kind = declared.type
    value: ColumnClause[Any] = column(declared.name)
    stored = func.typeof(value)
    if isinstance(kind, UtcDateTime):
        is_wrong = or_(stored != "text", ~_is_moment(value))
    elif isinstance(kind, Json):
        is_wrong = or_(stored != "text", ~_is_json(value, kind))
    else:
        wanted = (
            "integer"
            if isinstance(kind, Integer | Boolean)
            else "text"
            if isinstance(kind, String | Sealed)
            else stored
        )
        is_wrong = stored != wanted
    return and_(value.is_not(None), is_wrong)


def _is_moment(value: ColumnClause[Any]) -> ColumnElement[bool]:
    second = func.substr(value, 1, 19)
    is_second = func.strftime(_SECONDS, second).is_not_distinct_from(second)
    is_sane = and_(second > "0001", func.substr(value, 12, 2) < "24")
    return and_(is_second, is_sane, func.substr(value, 20).op("GLOB", is_comparison=True)(_FRACTION))


def _is_json(value: ColumnClause[Any], kind: Json) -> ColumnElement[bool]:
    is_valid = func.json_valid(value) == 1
    return case((is_valid, func.json_type(value) == "object"), else_=false()) if kind.kind is dict else is_valid


def _rows(count: float) -> str:
    return "1 row" if count == 1 else f"{int(count)} rows"


def _plainly(statement: str) -> str:
    words = " ".join(statement.translate(_WITHOUT_QUOTES).split())
    return _AROUND.sub(r"\1", words).casefold()


_WITHOUT_QUOTES = str.maketrans("", "", "\"'`[]")
_AROUND = re.compile(r" ?([(),]) ?")
