"""The peer of the pages, of starting and of idling: the least that Flask, Jinja, SQLite and waitress can be.

python bare.py page    a page from raw SQLite rows, on PORT
python bare.py orm     the same with SQLAlchemy loaded and used
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from typing import Any

import flask
import waitress

ROWS = [(number, f"Row {number}", "Something that happened to it") for number in range(20)]
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Bare</title></head>
<body><h1>Rows</h1>
<table>{% for row in rows %}<tr><td>{{ row[0] }}</td><td>{{ row[1] }}</td><td>{{ row[2] }}</td></tr>
{% endfor %}</table></body></html>"""


def raw_rows() -> Callable[[], Sequence[Any]]:
    connection = sqlite3.connect("file:bare?mode=memory&cache=shared", uri=True, check_same_thread=False)
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT, words TEXT)")
    connection.executemany("INSERT INTO rows VALUES (?, ?, ?)", ROWS)
    return lambda: connection.execute("SELECT id, name, words FROM rows ORDER BY id").fetchall()


def orm_rows() -> Callable[[], Sequence[Any]]:
    import sqlalchemy as sql  # noqa: PLC0415 - the page alone is to be without it
    from sqlalchemy.orm import Session  # noqa: PLC0415

    engine = sql.create_engine("sqlite://", poolclass=sql.StaticPool, connect_args={"check_same_thread": False})
    columns = (
        sql.Column("id", sql.Integer, primary_key=True),
        sql.Column("name", sql.Text),
        sql.Column("words", sql.Text),
    )
    table = sql.Table("rows", sql.MetaData(), *columns)
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(sql.insert(table), [dict(zip(("id", "name", "words"), row, strict=True)) for row in ROWS])

    def rows() -> Sequence[Any]:
        with Session(engine) as session:
            return session.execute(sql.select(table).order_by(table.c.id)).all()

    return rows


def main(kind: str) -> None:
    app = flask.Flask(__name__)
    rows = orm_rows() if kind == "orm" else raw_rows()
    template = app.jinja_env.from_string(PAGE)

    @app.get("/")
    def page() -> str:
        return flask.render_template(template, rows=rows())

    waitress.serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=8, _quiet=True)


if __name__ == "__main__":
    main(sys.argv[1])
