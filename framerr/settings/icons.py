"""Custom icons: uploaded, re-encoded as PNG, under random names in `paths.custom_icons` (R-002-15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from framerr.core import assets
from framerr.core.db import Database
from framerr.core.errors import NotFound
from framerr.core.images import reencode
from framerr.core.paths import Paths
from framerr.core.text import one_line
from framerr.settings.models import CustomIcon

MAX_BYTES = 8_000_000
SIDE = 256
Also = Callable[[Session, CustomIcon], None]


def add_icon(db: Database, paths: Paths, name: str, data: bytes, now: datetime, also: Also | None = None) -> CustomIcon:
    """Keep an uploaded picture as an icon. Decoding and writing the file happen before the database is locked; `also` is
    done in the same transaction.

    Raises InvalidInput (field `name` or `picture`), LimitExceeded, DiskFull or Unavailable; then nothing is kept.
    """
    shown = _name(name)
    picture = reencode(data, max_bytes=MAX_BYTES, max_side=SIDE, keep_png=True)
    file = assets.keep(paths.custom_icons, picture.data, picture.suffix)
    try:
        with db.writing() as session:
            icon = CustomIcon(name=shown, file=file, created_at=now)
            session.add(icon)
            if also is not None:
                also(session, icon)
    except BaseException:
        assets.discard(paths.custom_icons, file)
        raise
    return icon


def list_icons(session: Session) -> Sequence[CustomIcon]:
    """All icons, by name."""
    return session.scalars(select(CustomIcon).order_by(func.lower(CustomIcon.name), CustomIcon.id)).all()


def rename_icon(session: Session, uid: str, name: str) -> CustomIcon:
    """Raises InvalidInput (field `name`), NotFound."""
    icon = _get(session, uid)
    icon.name = _name(name)
    return icon


def delete_icon(db: Database, paths: Paths, uid: str, also: Also | None = None) -> str:
    """Remove an icon, then its file; returns the name it had. `also` is done in the same transaction. Raises NotFound."""
    with db.writing() as session:
        icon = _get(session, uid)
        session.delete(icon)
        if also is not None:
            also(session, icon)
    assets.discard(paths.custom_icons, icon.file)
    return icon.name


def icon_path(paths: Paths, file: str) -> Path:
    """The file of an icon. Raises NotFound when it is gone, Unavailable when it cannot be read."""
    return assets.path_of(paths.custom_icons, file)


def _get(session: Session, uid: str) -> CustomIcon:
    icon = session.scalar(select(CustomIcon).where(CustomIcon.uid == uid))
    if icon is None:
        raise NotFound("This icon does not exist any more.")
    return icon


def _name(name: str) -> str:
    return one_line(name, label="The icon's name", field="name", longest=100)
