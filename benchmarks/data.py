"""Instances filled with data that looks like a CMS: the same bytes in every run, as compressible."""

from __future__ import annotations

import hashlib
import json
import random
import re
import sqlite3
import string
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

from measure import HOST, MIB, Server

from framerr.appliance import build, database
from framerr.console import client
from framerr.core import config
from framerr.core.clock import utcnow
from framerr.core.crypto import resolve_key
from framerr.core.db import as_text
from framerr.core.paths import Paths
from framerr.jobs.calendar import Rule
from framerr.setup import finish

ADMINISTRATOR = "admin"
PASSWORD = "a long enough password"
SEED = 2
ITEM = 3700
LETTERS = string.ascii_letters + string.digits
BODY = 11


def environment(folder: Path) -> dict[str, str]:
    return {"FRAMERR_CONFIG_DIR": str(folder), "FRAMERR_HOST": HOST, "FRAMERR_SETUP_CODE": "off"}


def appliance(folder: Path) -> Server:
    """The appliance on a folder, to be started with `with`."""
    return Server([sys.executable, "-m", "framerr", "serve"], "/health/ready", environment(folder))


def ask(folder: Path, action: str, **params: Any) -> Any:
    """Have a running appliance do something, over its control socket."""
    return client.ask(Paths(folder), action, params, lambda _: None)


@dataclass(frozen=True)
class Run:
    """When a Run was asked for and when it was done, as its row tells, in seconds of the epoch. The command that follows
    it looks only five times a second.
    """

    asked: float
    done: float

    @property
    def seconds(self) -> float:
        return self.done - self.asked


def newest_run(database: Path, kind: str) -> Run:
    with closing(sqlite3.connect(database)) as connection:
        row = connection.execute(
            "SELECT created_at, finished_at FROM runs WHERE kind = ? ORDER BY id DESC LIMIT 1", (kind,)
        ).fetchone()
    return Run(*(datetime.fromisoformat(moment).timestamp() for moment in row))


def make_instance(folder: Path, *, mebibytes: int = 0, icons: int = 0, max_backups: int = 7) -> Paths:
    """A set-up instance without a schedule, whose database has about this size, with this many icons of 20 kB."""
    settings = config.load(environment(folder))
    paths = Paths(settings.config_dir)
    paths.prepare()
    database.bring_up(paths.database, backup=lambda: None)
    parts = build(settings, paths, resolve_key(settings, paths), utcnow())
    finish.start_fresh(
        parts.db,
        paths,
        username=ADMINISTRATOR,
        password=PASSWORD,
        display_name="Ada Example",
        instance_name="Benchmark",
        time_zone="UTC",
        rule=Rule("off", 4),
        max_backups=max_backups,
        now=utcnow(),
    )
    parts.db.close()
    with closing(sqlite3.connect(paths.database)) as connection, connection:
        _fill(connection, mebibytes * MIB // (ITEM + 300))
        _add_icons(connection, paths.custom_icons, icons)
    return paths


def _fill(connection: sqlite3.Connection, count: int) -> None:
    """Content goes where the appliance has room for it today: events carry JSON."""
    rows = (
        (f"item-{number:08}", as_text(utcnow()), "benchmark.item", "info", f"item {number}", "An item.", text)
        for number, text in enumerate(_items(count))
    )
    connection.executemany(
        "INSERT INTO events (uid, at, kind, level, subject, text, data) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
    )


def _items(count: int) -> Iterator[str]:
    """CMS items as JSON of about 3.7 kB: short fields, addresses, and rich text whose words are runs of the Python manual."""
    chance = random.Random(SEED)
    manual = re.findall(r"[A-Za-z][a-z'-]*[,;:]?", " ".join(topics[name] for name in sorted(topics)))

    def words(least: int, most: int) -> str:
        begin = chance.randrange(len(manual) - most)
        return " ".join(manual[begin : begin + chance.randint(least, most)])

    def name(length: int) -> str:
        return "".join(chance.choices(LETTERS, k=length))

    fields = [name(9) for _ in range(8)]
    sentences = [f"{words(4, 9)} {words(4, 9)}".capitalize() for _ in range(20_000)]
    for number in range(count):
        title = chance.choice(sentences)
        texts = ['<p dir="auto">{}. {}. {}.</p>'.format(*chance.choices(sentences, k=3)) for _ in range(BODY)]
        texts.append(f'<p dir="auto"><a href="https://example.com/{name(9)}" target="_blank">{words(3, 5)}</a></p>')
        picture = f"https://framerusercontent.com/images/{name(26)}.jpg?scale-down-to=1024"
        values = (
            {"type": "string", "value": title},
            {"type": "formattedText", "contentType": "html", "value": "".join(texts)},
            {"type": "image", "value": {"id": name(9), "url": picture, "altText": words(3, 6)}},
            {"type": "date", "value": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T08:30:00.000Z"},
            {"type": "enum", "value": fields[number % 8]},
            {"type": "multiCollectionReference", "value": [name(9) for _ in range(number % 4)]},
            {"type": "boolean", "value": number % 7 == 0},
            {"type": "number", "value": number * 37 % 9973 / 100},
        )
        item = {"id": name(9), "slug": f"{title.lower().replace(' ', '-')}-{number}", "draft": False}
        yield json.dumps(item | {"fieldData": dict(zip(fields, values, strict=True))})


def _add_icons(connection: sqlite3.Connection, folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"icon-{number:05}.png").write_bytes(_picture(number))
        connection.execute(
            "INSERT INTO custom_icons (uid, name, file, created_at) VALUES (?, ?, ?, ?)",
            (f"icon-{number:05}", f"Icon {number}", f"icon-{number:05}.png", as_text(utcnow())),
        )


def _picture(number: int) -> bytes:
    """A PNG of 80 × 80 pixels of noise: 20 kB, as incompressible as a photograph."""
    noise = hashlib.shake_256(str(number).encode()).digest(80 * 241)
    rows = b"".join(b"\0" + noise[row * 241 : row * 241 + 240] for row in range(80))
    header = struct.pack(">IIBBBBB", 80, 80, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
