"""Passwords: the rules for new ones, hashing with Argon2id, and checking without telling who exists.

One hash takes about 70 ms and 32 MiB here; at most two are computed at a time, so that a flood of attempts can take
neither the memory of a small container nor its processor.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from framerr.core.errors import InvalidInput, Unavailable

SHORTEST = 10
LONGEST = 1000
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
_SLOTS = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 10.0
# A hash of 32 random bytes nobody kept, so that a name nobody has costs the same as one somebody has.
_NOBODY = "$argon2id$v=19$m=32768,t=3,p=1$e95Gl14bW4FR1pAgbEJIpw$3YojTMzHr7A97nBsoJ+KX/w+ZXLOB0ShMNS/gTw7JgQ"


def check_password_rules(password: str, *, username: str) -> None:
    """Raises InvalidInput (field `password`) for a password that is too short, too long, or the user name."""
    length = len(password)
    if length < SHORTEST:
        raise InvalidInput(
            f"The password has {length} characters; use at least {SHORTEST}. A few words in a row are good.",
            field="password",
        )
    if length > LONGEST:
        raise InvalidInput(f"The password is longer than {LONGEST} characters. Use a shorter one.", field="password")
    if _normal(password).casefold() == _normal(username).casefold():
        raise InvalidInput("The password is the user name. Choose a different one.", field="password")


def hash_password(password: str) -> str:
    """The Argon2id hash to store. Raises Unavailable when too many passwords are being worked on."""
    with _slot():
        return _HASHER.hash(_bytes(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` is the one behind `stored`; None (nobody of that name) does the same work and is False.

    A stored hash that is damaged matches nothing. Raises Unavailable when too many passwords are being worked on.
    """
    if len(password) > LONGEST:
        stored = None  # no stored password is that long
    with _slot():
        try:
            matches = _HASHER.verify(stored or _NOBODY, _bytes(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None and matches


def needs_rehash(stored: str) -> bool:
    """Whether a hash that just matched was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """The same characters typed on different keyboards and systems are the same password."""
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")


@contextmanager
def _slot() -> Iterator[None]:
    if not _SLOTS.acquire(timeout=_WAIT_SECONDS):
        raise Unavailable("Too many people are signing in at this moment. Try again in a minute.", retry_after=60)
    try:
        yield
    finally:
        _SLOTS.release()
