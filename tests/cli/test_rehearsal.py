"""The comparison at the end of the main job sees every difference; a rehearsal that sees none proves nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from framerr.appliance import Appliance
from framerr.cli.rehearsal.comparison import Counted, compare
from framerr.core.db import Database
from framerr.core.errors import Corrupt
from framerr.core.paths import Paths
from tests.backups.filled import fill, make_backup
from tests.factories import appliance_in


@pytest.fixture
def twins(tmp_path: Path) -> tuple[Appliance, Path, Paths]:
    """A filled instance, its archive, and a copy of its folder."""
    with appliance_in(tmp_path / "first") as appliance:
        fill(appliance)
        archive = appliance.paths.backups / make_backup(appliance).name
    shutil.copytree(appliance.paths.root, tmp_path / "second")
    return appliance, archive, Paths(tmp_path / "second")


def compared(twins: tuple[Appliance, Path, Paths]) -> Counted:
    first, archive, second = twins
    return compare(archive, first.paths, first.key, second, first.key)


def test_twins_are_equal(twins: tuple[Appliance, Path, Paths]) -> None:
    found = compared(twins)
    assert (found.credentials, found.files) == (5, 6)


def in_database(statement: str) -> Callable[[Paths], None]:
    def change(paths: Paths) -> None:
        db = Database(paths.database)
        with db.writing() as session:
            session.execute(text(statement))
        db.close()

    return change


def remove_an_icon(paths: Paths) -> None:
    next(path for path in paths.custom_icons.iterdir() if path.is_file()).unlink()


def change_the_favicon(paths: Paths) -> None:
    next(paths.favicon.iterdir()).write_bytes(b"another")


DIFFERENCES = {
    "a changed setting": in_database("UPDATE settings SET value = '1' WHERE key = 'backups.max'"),
    "a lost user": in_database("DELETE FROM users WHERE username = 'eve'"),
    "an added icon": in_database(
        "INSERT INTO custom_icons (uid, name, file, created_at) VALUES ('x', 'x', 'x', '2026-01-01T00:00:00.000000Z')"
    ),
    "a lost event": in_database("DELETE FROM events"),
    "a schedule at another hour": in_database("UPDATE schedules SET hour = 5"),
    "a lost icon file": remove_an_icon,
    "another favicon": change_the_favicon,
}


@pytest.mark.parametrize("change", DIFFERENCES.values(), ids=DIFFERENCES)
def test_every_difference_is_seen(twins: tuple[Appliance, Path, Paths], change: Callable[[Paths], None]) -> None:
    change(twins[2])
    with pytest.raises(Corrupt):
        compared(twins)


def test_a_credential_that_says_something_else_is_seen(twins: tuple[Appliance, Path, Paths]) -> None:
    first, _, second = twins
    other = first.key.seal('{"token": "another"}', "integrations.credential")
    in_database(f"UPDATE integrations SET credential = '{other}' WHERE id = 1")(second)
    with pytest.raises(Corrupt, match="integrations"):
        compared(twins)
