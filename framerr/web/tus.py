"""Reading the headers of tus 1.0. Pure."""

from __future__ import annotations

import base64
import binascii

from framerr.core.errors import InvalidInput

VERSION = "1.0.0"
_DIGITS = 18


def whole_number(text: str | None, header: str) -> int:
    """The number in a header. Raises InvalidInput when it is missing or is not a plain whole number."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise InvalidInput(f"{header} must be a whole number of bytes.")
    return int(text)


def metadata(header: str) -> dict[str, str]:
    """Keys to their decoded texts; the value of a key may be missing. Raises InvalidInput when it cannot be read."""
    found: dict[str, str] = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        if key:
            found[key] = _decoded(value.strip())
    return found


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise InvalidInput("Upload-Metadata must hold keys with values in Base64, separated by commas.") from None
