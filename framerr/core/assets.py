"""Files that people uploaded, kept under random names in one folder; a row elsewhere points at each.

The file is written before the row points at it and removed after the row let go, so a crash leaves a file without a
row, never a row without its file. A name from outside never becomes a path unless it has the shape of one made here.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from pathlib import Path

from framerr.core.errors import NotFound
from framerr.core.files import atomic_write, disk_errors

_NAME = re.compile(r"[0-9a-f]{32}\.(png|webp)")


def keep(folder: Path, data: bytes, suffix: str) -> str:
    """Write a new file and return its name. Raises DiskFull or Unavailable; then nothing is left behind."""
    name = secrets.token_hex(16) + suffix
    with disk_errors(folder):
        atomic_write(folder / name, data)
    return name


def path_of(folder: Path, name: str) -> Path:
    """The path of a kept file that can be opened now.

    Raises NotFound when there is none of that name, Unavailable when it is there but cannot be read (says why).
    """
    path = folder / name
    if not _NAME.fullmatch(name):
        raise NotFound("There is no picture of this name. Upload it again.")
    with disk_errors(path):
        try:
            path.open("rb").close()
        except FileNotFoundError:
            raise NotFound("The file of this picture is gone. Upload it again.") from None
    return path


def discard(folder: Path, name: str) -> None:
    """Remove a file nothing points at any more. One that cannot be removed only takes room, so that is no error."""
    if _NAME.fullmatch(name):
        with suppress(OSError):
            (folder / name).unlink()
