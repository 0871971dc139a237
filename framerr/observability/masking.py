"""Taking secrets out of what is about to be logged. Pure, but for the list of secrets known by heart.

Three nets: texts registered as secret, shapes that are secret (sealed credentials, password hashes, bearer tokens,
passwords in addresses), and fields whose name says so. The setup code is in the log on purpose and none of these.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

MASK = "***"
_NAMES = (
    r"(?:pass(?:word|wd|phrase)|secret|(?:access|refresh|session|csrf|id)?[_-]?token|api[_-]?key|private[_-]?key|"
    r"encryption[_-]?key|instance[_-]?key|authorization|credentials?|cookie)"
)
_SECRET_FIELD = re.compile(rf"(?:^|[._-])(?:{_NAMES}|pass)s?$", re.IGNORECASE)
_SHAPES = (
    (re.compile(r"sealed:\d+:[0-9a-f]*:?[A-Za-z0-9+/=]*"), "sealed:" + MASK),
    (re.compile(r"\$argon2[a-z]*\$\S*"), "$argon2" + MASK),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"(?<=://)([^\s/:@]*):([^\s/@]+)@"), rf"\1:{MASK}@"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), MASK),
    (re.compile(r"(?i)\b(cookie:)[^\r\n]+"), rf"\1 {MASK}"),
    # name=value, name: value, "name": "value", name='value'
    (
        re.compile(rf"""(?i)({_NAMES}s?["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"'(){{}}\]\[]+)"""),
        rf"\1{MASK}",
    ),
)
_SHORTEST = 8
_known: tuple[str, ...] = ()


def register(secret: str) -> None:
    """Never let this text into a log again, as it is or URL-encoded. Too short a text would mask ordinary words, and is
    ignored.
    """
    global _known  # noqa: PLW0603 - replaced as a whole, so that other threads may read it meanwhile
    forms = {*_known, *(form for form in (secret, quote(secret, safe="")) if len(form) >= _SHORTEST)}
    _known = tuple(sorted(forms, key=len, reverse=True))


def register_key(raw: bytes) -> None:
    """Never let these bytes into a log, as hex or base64 of either alphabet."""
    plain, url = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    for form in (raw.hex(), raw.hex().upper(), plain, plain.rstrip("="), url, url.rstrip("=")):
        register(form)


def mask(text: str) -> str:
    """`text` without what is secret in it, and always encodable."""
    for secret in _known:
        text = text.replace(secret, MASK)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text.encode("utf-8", "backslashreplace").decode()


def mask_value(value: Any, name: str = "") -> Any:
    """`value` without what is secret in it, looked for at every depth; other types become their text."""
    if name and _SECRET_FIELD.search(name) and value not in (None, "", False, True):
        return MASK
    if isinstance(value, Mapping):
        return {mask(str(key)): mask_value(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return mask(str(value))
