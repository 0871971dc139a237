"""Sample data for the demo: made through the same doors that the pages use."""

from __future__ import annotations

import struct
from datetime import datetime

from framerr import tasks
from framerr.accounts import pictures, users
from framerr.appliance import Appliance
from framerr.console.following import result_of
from framerr.integrations import store as integrations
from framerr.jobs import queue
from framerr.jobs.runner import Runner
from framerr.settings import favicon, icons
from framerr.setup import finish

ADMINISTRATOR = "admin"
SIDE = 64
Colour = tuple[int, int, int]
VIOLET, GREEN, ORANGE, NIGHT = (98, 70, 234), (16, 150, 110), (220, 120, 20), (40, 40, 60)


def fill(appliance: Appliance, password: str, now: datetime) -> None:
    """An administrator, a second user, every kind of picture, a connected service and a first verified backup."""
    db, paths = appliance.db, appliance.paths
    administrator = finish.start_fresh(
        db,
        paths,
        username=ADMINISTRATOR,
        password=password,
        display_name="Ada Example",
        instance_name="Framerr demo",
        time_zone=appliance.settings.time_zone_hint or "UTC",
        rule=finish.PRESET,
        max_backups=7,
        now=now,
    )
    pictures.save_picture(db, paths, administrator.uid, picture(VIOLET))
    icons.add_icon(db, paths, "Shop", picture(GREEN), now)
    icons.add_icon(db, paths, "Blog", picture(ORANGE), now)
    favicon.save(paths, picture(NIGHT))
    connect(appliance, password, now)
    _back_up(appliance, now)


def connect(appliance: Appliance, password: str, now: datetime) -> None:
    """What no page makes yet: a second user, and a connected service with a credential of no use."""
    with appliance.db.writing() as session:
        users.create_user(
            session, username="vera", password=password, display_name="Vera Viewer", role="viewer", now=now
        )
        integrations.add(
            session,
            appliance.key,
            kind="framer",
            name="Example shop",
            config={"site": "https://shop.example"},
            credential={"api_key": "demo-credential-of-no-use"},
            now=now,
        )


def _back_up(appliance: Appliance, now: datetime) -> None:
    """As a Run, so that Activity has something to show. Raises what it failed with."""
    params = {"note": "The first one, of the demo"}
    with appliance.db.writing() as session:
        run, _ = queue.enqueue(
            session, "backup", params=params, trigger="manual", requested_by=ADMINISTRATOR, now=now
        )  # fmt: skip
    runner = Runner(appliance.db, tasks.table(appliance), on_outcome=tasks.on_outcome)
    result_of(runner.run_here(run.uid), appliance.paths.root)


def picture(colour: Colour) -> bytes:
    """A disc of one colour as an ICO file, which needs no compression."""
    rows = b"".join(_pixel(column, row, colour) for row in range(SIDE) for column in range(SIDE))
    mask = bytes(SIDE * SIDE // 8)
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, 2 * SIDE, 1, 32, 0, len(rows) + len(mask), 0, 0, 0, 0)
    image = header + rows + mask
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, SIDE, SIDE, 0, 0, 1, 32, len(image), 22) + image


def _pixel(column: int, row: int, colour: Colour) -> bytes:
    middle = (SIDE - 1) / 2
    is_inside = (column - middle) ** 2 + (row - middle) ** 2 < middle**2
    red, green, blue = colour
    return bytes((blue, green, red, 255 if is_inside else 0))
