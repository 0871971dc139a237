"""Profile pictures: by content, bounded, re-encoded, atomic (issue 2, Accounts; R-002-14)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from framerr.accounts import pictures, users
from framerr.core.db import Database
from framerr.core.errors import InvalidInput, LimitExceeded, NotFound, Unavailable
from framerr.core.paths import Paths
from tests.accounts.people import make_user
from tests.pictures import HOSTILE, bomb, opened, photo, picture


def files(paths: Paths) -> list[str]:
    return sorted(os.listdir(paths.profile_pictures))


def current(db: Database, uid: str) -> str | None:
    with db.reading() as session:
        return users.get_user(session, uid).picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "ICO"])
def test_a_picture_is_square_small_and_private(db: Database, paths: Paths, kind: str) -> None:
    alice = make_user(db)

    name = pictures.save_picture(db, paths, alice.uid, picture(kind, (1200, 800) if kind != "ICO" else (64, 48)))

    path = pictures.picture_path(paths, name)
    side = opened(path.read_bytes()).size
    assert side[0] == side[1] <= 512
    assert path.stat().st_mode & 0o777 == 0o600
    assert (current(db, alice.uid), files(paths)) == (name, [name])
    assert "alice" not in name


def test_where_a_photo_was_taken_is_dropped(db: Database, paths: Paths) -> None:
    alice = make_user(db)

    name = pictures.save_picture(db, paths, alice.uid, photo("at home, 52.52 N 13.40 E"))

    data = pictures.picture_path(paths, name).read_bytes()
    assert b"at home" not in data
    assert dict(opened(data).getexif()) == {}


def test_what_hides_behind_a_picture_is_dropped(db: Database, paths: Paths) -> None:
    alice = make_user(db)

    name = pictures.save_picture(db, paths, alice.uid, picture() + b"<script>alert(1)</script>")

    assert b"script" not in pictures.picture_path(paths, name).read_bytes()


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_picture_changes_nothing(db: Database, paths: Paths, data: bytes) -> None:
    alice = make_user(db)
    before = pictures.save_picture(db, paths, alice.uid, picture())

    with pytest.raises(InvalidInput) as refused:
        pictures.save_picture(db, paths, alice.uid, data)

    assert refused.value.field == "picture"
    assert (current(db, alice.uid), files(paths)) == (before, [before])


@pytest.mark.parametrize("data", [bomb(), bomb(7000), b"\0" * 8_000_001], ids=["900 MP", "49 MP", "8 MB and a byte"])
def test_what_is_too_large_changes_nothing(db: Database, paths: Paths, data: bytes) -> None:
    alice = make_user(db)

    with pytest.raises(LimitExceeded):
        pictures.save_picture(db, paths, alice.uid, data)

    assert (current(db, alice.uid), files(paths)) == (None, [])


def test_a_new_picture_replaces_the_old_file(db: Database, paths: Paths) -> None:
    alice = make_user(db)
    old = pictures.save_picture(db, paths, alice.uid, picture())

    new = pictures.save_picture(db, paths, alice.uid, picture(colour="pink"))

    assert new != old
    assert files(paths) == [new]


def test_the_old_picture_stays_when_the_row_cannot_be_written(db: Database, paths: Paths) -> None:
    alice = make_user(db)
    old = pictures.save_picture(db, paths, alice.uid, picture())

    with pytest.raises(NotFound):
        pictures.save_picture(db, paths, "somebody gone", picture(colour="pink"))

    assert files(paths) == [old]


def test_a_folder_that_cannot_be_written_is_a_sentence(db: Database, paths: Paths) -> None:
    alice = make_user(db)
    paths.profile_pictures.rmdir()
    paths.profile_pictures.write_text("in the way")

    with pytest.raises(Unavailable, match="could not be used"):
        pictures.save_picture(db, paths, alice.uid, picture())

    assert current(db, alice.uid) is None


def test_a_picture_can_be_taken_away(db: Database, paths: Paths) -> None:
    alice = make_user(db)
    pictures.save_picture(db, paths, alice.uid, picture())

    pictures.remove_picture(db, paths, alice.uid)
    pictures.remove_picture(db, paths, alice.uid)

    assert (current(db, alice.uid), files(paths)) == (None, [])


def test_a_file_that_is_gone_is_a_sentence(db: Database, paths: Paths) -> None:
    alice = make_user(db)
    name = pictures.save_picture(db, paths, alice.uid, picture())
    (paths.profile_pictures / name).unlink()

    with pytest.raises(NotFound, match="gone"):
        pictures.picture_path(paths, name)
    assert pictures.save_picture(db, paths, alice.uid, picture())


def test_a_file_that_cannot_be_read_is_a_sentence(db: Database, paths: Paths) -> None:
    """An unreadable picture is a sentence, not a crash (issue 2, How it will be judged)."""
    alice = make_user(db)
    name = pictures.save_picture(db, paths, alice.uid, picture())
    (paths.profile_pictures / name).unlink()
    (paths.profile_pictures / name).mkdir()

    with pytest.raises(Unavailable, match=name):
        pictures.picture_path(paths, name)


@pytest.mark.parametrize(
    "name", ["../framerr.db", "", ".", "/etc/passwd", "x.png", "\0.png", "0" * 32 + ".svg", "0" * 32 + ".png\n"]
)
def test_only_names_made_here_become_paths(paths: Paths, tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        pictures.picture_path(paths, name)
