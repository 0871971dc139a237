"""What goes into an archive besides the database: a room hands in its files and its section of the manifest.

Promise: every file is taken or the run fails naming it; nothing is left out in silence. Sub-folders are kept.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from framerr.core.errors import Unavailable
from framerr.core.files import disk_errors
from framerr.core.paths import Paths


@dataclass(frozen=True)
class Source:
    """A member to be: its name in the archive and the file that holds its bytes now."""

    name: str
    path: Path


@dataclass(frozen=True)
class Contribution:
    """One part of an archive.

    `section` is its key in the manifest, and the folder of the archive in which all its members lie. `collect` names
    the files; it may write copies into the scratch folder it is given, which is removed after the run. `describe`
    gives its manifest section. A restore puts the members, under the names they have in the archive, into the folder
    `into` of the instance. `words` tell a person what comes back.
    """

    section: str
    title: str
    words: str
    collect: Callable[[Paths, Path], Sequence[Source]]
    describe: Callable[[Sequence[Source]], Mapping[str, Any]]
    into: str = "data"

    def owns(self, member: str) -> bool:
        return member.startswith(f"{self.section}/")


def folder_contribution(section: str, title: str, words: str, folder: Callable[[Paths], Path]) -> Contribution:
    """All files below one folder of `data/` that has the name of the section."""

    def collect(paths: Paths, _scratch: Path) -> Sequence[Source]:
        return files_below(folder(paths), section)

    def describe(sources: Sequence[Source]) -> Mapping[str, Any]:
        return {"files": len(sources)}

    return Contribution(section, title, words, collect, describe)


def files_below(folder: Path, prefix: str) -> list[Source]:
    """Every file below `folder`, sorted, named `prefix/…`. Temporary files of a write that was cut off are no files.

    Raises Unavailable when a folder cannot be listed, is missing, or holds something that is not a file of its own.
    """
    found: list[Source] = []
    with disk_errors(folder):
        for base, folders, names in os.walk(folder, onerror=_fail):
            for name in sorted(names) + [each for each in folders if Path(base, each).is_symlink()]:
                path = Path(base, name)
                if name.startswith(".") and name.endswith(".part"):
                    continue
                try:
                    mode = path.lstat().st_mode
                except FileNotFoundError:
                    continue
                if not stat.S_ISREG(mode):
                    raise Unavailable(
                        f"{path} is a link or a special file, which a backup cannot hold. Replace it by the file itself, "
                        "or remove it.",
                        retryable=False,
                    )
                found.append(Source(PurePosixPath(prefix, path.relative_to(folder).as_posix()).as_posix(), path))
    return sorted(found, key=lambda source: source.name)


def _fail(error: OSError) -> None:
    raise error


STANDARD = (
    folder_contribution("profile-pictures", "Profile pictures", "every file", lambda paths: paths.profile_pictures),
    folder_contribution("custom-icons", "Custom icons", "every file", lambda paths: paths.custom_icons),
    folder_contribution("favicon", "Favicon", "every file", lambda paths: paths.favicon),
)
"""The parts of this product, in the order of the archive (R-002-14 to R-002-16)."""
