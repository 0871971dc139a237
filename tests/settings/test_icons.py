"""Custom icons: every accepted kind becomes a small PNG, what is no picture is refused (R-002-15)."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from framerr.core.db import Database
from framerr.core.errors import Corrupt, InvalidInput, LimitExceeded, NotFound, Unavailable
from framerr.core.paths import Paths
from framerr.settings import icons
from tests.pictures import HOSTILE, bomb, opened, photo, picture

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def names(db: Database) -> list[str]:
    with db.reading() as session:
        return [icon.name for icon in icons.list_icons(session)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "ICO"])
def test_an_icon_becomes_a_small_png(db: Database, paths: Paths, kind: str) -> None:
    icon = icons.add_icon(db, paths, " Shop ", picture(kind, (1000, 500) if kind != "ICO" else (64, 32)), NOW)

    image = opened(icons.icon_path(paths, icon.file).read_bytes())
    assert (icon.name, icon.created_at, image.format) == ("Shop", NOW, "PNG")
    assert max(image.size) <= 256
    assert image.width == 2 * image.height
    assert names(db) == ["Shop"]


def test_what_a_camera_added_is_dropped(db: Database, paths: Paths) -> None:
    icon = icons.add_icon(db, paths, "Photo", photo("at home, 52.52 N"), NOW)

    assert b"at home" not in icons.icon_path(paths, icon.file).read_bytes()


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_picture_leaves_nothing(db: Database, paths: Paths, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        icons.add_icon(db, paths, "logo.png", data, NOW)

    assert (names(db), os.listdir(paths.custom_icons)) == ([], [])


def test_a_bomb_leaves_nothing(db: Database, paths: Paths) -> None:
    with pytest.raises(LimitExceeded):
        icons.add_icon(db, paths, "logo.png", bomb(), NOW)

    assert (names(db), os.listdir(paths.custom_icons)) == ([], [])


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, "\u202e"])
def test_a_name_that_hides_something_is_refused(db: Database, paths: Paths, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        icons.add_icon(db, paths, name, picture(), NOW)

    assert refused.value.field == "name"
    assert os.listdir(paths.custom_icons) == []


def test_icons_are_listed_by_name_renamed_and_deleted(db: Database, paths: Paths) -> None:
    shop, api, _ = (icons.add_icon(db, paths, name, picture(), NOW) for name in ("shop", "API", "Blog"))
    assert names(db) == ["API", "Blog", "shop"]

    with db.writing() as session:
        icons.rename_icon(session, shop.uid, "A shop")
    assert names(db) == ["A shop", "API", "Blog"]

    assert icons.delete_icon(db, paths, api.uid) == "API"
    assert names(db) == ["A shop", "Blog"]
    assert len(os.listdir(paths.custom_icons)) == 2
    with pytest.raises(NotFound):
        icons.icon_path(paths, api.file)


def test_an_icon_that_is_gone_is_not_found(db: Database, paths: Paths) -> None:
    with pytest.raises(NotFound), db.writing() as session:
        icons.rename_icon(session, "nothing", "x")
    with pytest.raises(NotFound):
        icons.delete_icon(db, paths, "nothing")


def test_an_icon_whose_file_is_gone_can_still_be_deleted(db: Database, paths: Paths) -> None:
    icon = icons.add_icon(db, paths, "Shop", picture(), NOW)
    (paths.custom_icons / icon.file).unlink()

    icons.delete_icon(db, paths, icon.uid)

    assert names(db) == []


def test_an_icon_that_cannot_be_read_is_a_sentence(db: Database, paths: Paths) -> None:
    """An unreadable icon is a sentence, not a crash (figures.md: it killed the peer's process)."""
    icon = icons.add_icon(db, paths, "Shop", picture(), NOW)
    (paths.custom_icons / icon.file).unlink()
    (paths.custom_icons / icon.file).mkdir()

    with pytest.raises(Unavailable, match=icon.file):
        icons.icon_path(paths, icon.file)


def test_a_folder_that_cannot_be_written_keeps_no_row(db: Database, paths: Paths) -> None:
    paths.custom_icons.rmdir()
    paths.custom_icons.write_text("in the way")

    with pytest.raises(Unavailable):
        icons.add_icon(db, paths, "Shop", picture(), NOW)

    assert names(db) == []


def test_a_row_that_cannot_be_written_leaves_no_file(db: Database, paths: Paths) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE custom_icons")

    with pytest.raises(Corrupt, match="no such table"):
        icons.add_icon(db, paths, "Shop", picture(), NOW)

    assert os.listdir(paths.custom_icons) == []
