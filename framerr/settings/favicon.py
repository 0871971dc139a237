"""The favicon: one square PNG of at most 192 pixels, which serves tabs and home screens alike (R-002-16).

One file and no row: replacing it is atomic, and whether there is one is whether the file is there.
"""

from __future__ import annotations

from pathlib import Path

from framerr.core.files import atomic_write, disk_errors
from framerr.core.images import reencode
from framerr.core.paths import Paths

MAX_BYTES = 8_000_000
SIDE = 192


def path(paths: Paths) -> Path | None:
    """The custom favicon, or None when there is none. Raises Unavailable when it is there but cannot be read."""
    file = _file(paths)
    with disk_errors(file):
        try:
            file.open("rb").close()
        except FileNotFoundError:
            return None
    return file


def save(paths: Paths, data: bytes) -> Path:
    """Replace the favicon by an uploaded picture. Raises InvalidInput, LimitExceeded, DiskFull or Unavailable; the
    previous one then stays.
    """
    picture = reencode(data, max_bytes=MAX_BYTES, max_side=SIDE, square=True, keep_png=True)
    file = _file(paths)
    with disk_errors(file):
        atomic_write(file, picture.data)
    return file


def remove(paths: Paths) -> None:
    """Go back to the product's own favicon; having none is fine. Raises Unavailable."""
    file = _file(paths)
    with disk_errors(file):
        file.unlink(missing_ok=True)


def _file(paths: Paths) -> Path:
    return paths.favicon / "favicon.png"
