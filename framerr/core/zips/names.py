"""Which names an archive may hold. One rule for writing and for reading, so that nothing is made that is refused later.

A name is a relative path with forward slashes that means the same file on every system: case T25.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

from framerr.core.errors import InvalidInput

LONGEST_NAME = 1024
LONGEST_PART = 255

_DRIVE = re.compile(r"[A-Za-z]:")
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ .].*)?", re.IGNORECASE | re.DOTALL
)


def shown(name: str) -> str:
    """`name` in quotes, with what cannot be printed escaped, and cut when it is long."""
    readable = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in name[:90]
    )
    return f"“{readable}{'…' if len(name) > len(name[:90]) else ''}”"


def check_name(name: str) -> None:
    """Raises InvalidInput, saying why, when `name` could leave the folder it is unpacked into, or reach a device.

    A trailing slash (a folder) is fine. Nothing is looked up on the disk.
    """
    path = name.removesuffix("/")
    if not path:
        _refuse(name, "it is empty")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        _refuse(name, "it holds a NUL or another control character")
    if "\\" in path:
        _refuse(name, "it uses backslashes, which some systems read as folders")
    if path.startswith("/"):
        _refuse(name, "it is an absolute path")
    if _DRIVE.match(path):
        _refuse(name, "it starts with a drive letter")
    _check_length(name, path)
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            _refuse(name, "it leads through “..”, “.” or an empty folder name to another place")
        if _DEVICE.fullmatch(part):
            _refuse(name, "Windows reads it as a device, not as a file")


def _check_length(name: str, path: str) -> None:
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        _refuse(name, "it is not valid Unicode")
    if len(encoded) > LONGEST_NAME or any(len(part) > LONGEST_PART for part in encoded.split(b"/")):
        _refuse(name, f"it is longer than {LONGEST_PART} bytes in a part or {LONGEST_NAME} in all")


def _refuse(name: str, why: str) -> NoReturn:
    raise InvalidInput(
        f"The name {shown(name)} is not safe in an archive: {why}. Rename it and pack the archive again, or use another archive."
    )


class NameBook:
    """The names of one archive so far.

    `admit` refuses a name that is unsafe, that is there already (also when only case or the way accents are written
    differ: some file systems see one file), or that is a file in one place and a folder in another.
    """

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: set[str] = set()

    def admit(self, name: str) -> None:
        """Raises InvalidInput; a name that was refused is not remembered."""
        check_name(name)
        path = folded(name.removesuffix("/"))
        if path in self._files:
            self._clash(name, self._files[path])
        parents = [path[:end] for end, letter in enumerate(path) if letter == "/"]
        for parent in parents:
            if parent in self._files:
                self._clash(name, self._files[parent])
        if name.endswith("/"):
            parents.append(path)
        elif path in self._folders:
            self._clash(name, name + "/")
        else:
            self._files[path] = name
        self._folders.update(parents)

    def _clash(self, name: str, other: str) -> NoReturn:
        if name == other:
            what = f"The archive holds {shown(name)} twice"
        else:
            what = (
                f"The archive holds both {shown(other)} and {shown(name)}, which some systems take for the same place"
            )
        raise InvalidInput(
            f"{what}, so it is unclear which is meant. Pack it again with one of them, or use another archive."
        )


def folded(name: str) -> str:
    """`name` as the most forgetful file system sees it: without case, accents in one way of writing."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
