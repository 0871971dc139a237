"""Profile pictures: re-encoded, square, under random names in `paths.profile_pictures` (R-002-14)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from framerr.accounts.users import get_user
from framerr.core import assets
from framerr.core.db import Database
from framerr.core.images import reencode
from framerr.core.paths import Paths

MAX_BYTES = 8_000_000
SIDE = 512


Also = Callable[[Session], None]


def save_picture(db: Database, paths: Paths, uid: str, data: bytes, also: Also | None = None) -> str:
    """Give a user a new picture and return its file name. The previous file is removed once the new one holds.

    Decoding and writing the file happen before the database is locked; `also` is done in the same transaction. Raises InvalidInput, LimitExceeded, NotFound,
    DiskFull or Unavailable; the previous picture then stays.
    """
    picture = reencode(data, max_bytes=MAX_BYTES, max_side=SIDE, square=True)
    name = assets.keep(paths.profile_pictures, picture.data, picture.suffix)
    try:
        with db.writing() as session:
            user = get_user(session, uid)
            previous, user.picture = user.picture or "", name
            if also is not None:
                also(session)
    except BaseException:
        assets.discard(paths.profile_pictures, name)
        raise
    assets.discard(paths.profile_pictures, previous)
    return name


def remove_picture(db: Database, paths: Paths, uid: str, also: Also | None = None) -> None:
    """Take the picture away; having none is fine. `also` is done in the same transaction. Raises NotFound."""
    with db.writing() as session:
        user = get_user(session, uid)
        previous, user.picture = user.picture or "", None
        if also is not None:
            also(session)
    assets.discard(paths.profile_pictures, previous)


def picture_path(paths: Paths, name: str) -> Path:
    """The file of a picture. Raises NotFound when it is gone, Unavailable when it cannot be read."""
    return assets.path_of(paths.profile_pictures, name)
