"""Short texts: what people type, or what an archive says of itself, as one line without what cannot be seen; and file
names, as text that lists can hold.
"""

from __future__ import annotations

import re
import unicodedata

from framerr.core.errors import InvalidInput

# The space, and the joiners inside emoji and in scripts that need them.
_ALLOWED = frozenset(" \u200c\u200d")


def one_line(value: object, *, label: str, field: str, longest: int) -> str:
    """`value` trimmed, composed (NFC), with single spaces. `label` begins the sentence of a refusal.

    Raises InvalidInput when it is not text, empty, longer than `longest` characters, or holds control characters,
    reversed writing direction or other characters that cannot be seen.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{label} must be text.", field=field)
    spaced = "".join(" " if unicodedata.category(one) == "Zs" else one for one in unicodedata.normalize("NFC", value))
    line = " ".join(part for part in spaced.strip().split(" ") if part)
    if not line:
        raise InvalidInput(f"{label} is missing. Type at least one character.", field=field)
    if len(line) > longest:
        raise InvalidInput(f"{label} has {len(line)} characters; at most {longest} are possible.", field=field)
    if any(unicodedata.category(character)[0] in "CZ" and character not in _ALLOWED for character in line):
        raise InvalidInput(f"{label} holds characters that cannot be seen. Type it again.", field=field)
    return line


def legible(value: str, longest: int) -> str:
    """What may be shown of a text from elsewhere: one line, without control characters, reversed writing direction and
    others that cannot be seen, cut with … at `longest` characters. What `one_line` accepts stays as it is.
    """
    head = value[: 4 * longest]  # enough to find that many in, however long the rest is
    seen = "".join(_seen(one) for one in unicodedata.normalize("NFC", head))
    line = " ".join(part for part in seen.split(" ") if part)
    return line if len(line) <= longest and len(head) == len(value) else line[: longest - 1].rstrip() + "…"


def _seen(character: str) -> str:
    if character in _ALLOWED:
        return character
    kind = unicodedata.category(character)
    return " " if kind[0] == "Z" or character in "\t\n\r" else "" if kind[0] == "C" else character


def escaped(name: str) -> str:
    """A file name as the system gave it, as text of one line that any encoding, log or list can hold.

    What cannot be shown is written as its number behind a backslash, and a backslash as two. `unescaped` gives the very
    name back.
    """
    return "".join(one if one.isprintable() and one != "\\" else _escape(one) for one in name)


def unescaped(text: str) -> str:
    """The file name that `escaped` was given."""
    return _ESCAPE.sub(lambda found: _character(found[1]), text)


_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_UNDECODED = 0xDC00  # where the surrogateescape handler of Python keeps a byte that is no UTF-8


def _escape(one: str) -> str:
    if one == "\\":
        return "\\\\"
    code = ord(one)
    if _UNDECODED < code <= _UNDECODED + 0xFF:
        return f"\\x{code - _UNDECODED:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _character(form: str) -> str:
    if form == "\\":
        return form
    code = int(form[1:], 16)
    return chr(code + _UNDECODED if form[0] == "x" else code)
