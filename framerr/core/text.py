"""Short texts that people type: one line, without what cannot be seen."""

from __future__ import annotations

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
