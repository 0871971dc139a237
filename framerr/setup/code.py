"""The setup code: proof that who sees the wizard also sees the log or the folder of this instance."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from framerr.accounts.throttle import network_of
from framerr.core.config import SETUP_CODE
from framerr.core.errors import Forbidden, LimitExceeded
from framerr.core.files import atomic_write, disk_errors
from framerr.core.paths import Paths

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
TRIES = 5
# Together, from wherever: a stranger needs twenty networks to shut the owner out, and still millennia for 32^8 codes.
TRIES_OF_ALL = 100
WINDOW = timedelta(minutes=1)


@dataclass(frozen=True)
class SetupCode:
    """`text` is XXXX-XXXX: 40 random bits."""

    text: str


def load_or_make(paths: Paths, configured: str | None) -> SetupCode | None:
    """The code the wizard asks for; None when `configured` is "off".

    A configured code is not written down, and a file from before goes. Otherwise the code is the one in the file,
    the same after every restart, made when there is none that can be read as one. Raises DiskFull or Unavailable.
    """
    if configured is not None:
        remove(paths)
        return None if configured == "off" else SetupCode(configured)
    with disk_errors(paths.setup_code):
        try:
            text = paths.setup_code.read_bytes()[:64].decode("ascii", "replace").strip()
        except FileNotFoundError:
            text = ""
        if not SETUP_CODE.fullmatch(text):
            letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
            text = f"{letters[:4]}-{letters[4:]}"
            atomic_write(paths.setup_code, text.encode() + b"\n")
    return SetupCode(text)


def remove(paths: Paths) -> None:
    """Remove the file, once it is of no use; having none is fine. Raises Unavailable."""
    with disk_errors(paths.setup_code):
        paths.setup_code.unlink(missing_ok=True)


class Gate:
    """Counts tries at the code: five a minute from one network, so that a stranger's do not lock the owner out, and
    TRIES_OF_ALL together. Safe to use from many threads; forgets at a restart.
    """

    def __init__(self, code: SetupCode) -> None:
        self._code = code
        self._tries: deque[tuple[datetime, str]] = deque(maxlen=TRIES_OF_ALL)
        self._lock = threading.Lock()

    def check(self, typed: str, now: datetime, address: str) -> None:
        """Raises LimitExceeded (`retry_after`) after too many tries, without looking; Forbidden for a wrong code."""
        with self._lock:
            self._count(network_of(address), now)
        if not matches(self._code, typed):
            raise Forbidden("This is not the setup code. It is in the log and in setup-code.txt in the config folder.")

    def _count(self, network: str, now: datetime) -> None:
        while self._tries and not now - WINDOW < self._tries[0][0] <= now + WINDOW:
            self._tries.popleft()
        own = [at for at, where in self._tries if where == network]
        if len(own) >= TRIES:
            self._refuse(f"There were {TRIES} tries within a minute.", own[0], now)
        if len(self._tries) >= TRIES_OF_ALL:
            self._refuse("There were too many tries within a minute, from many places.", self._tries[0][0], now)
        self._tries.append((now, network))

    def _refuse(self, reason: str, oldest: datetime, now: datetime) -> NoReturn:
        wait = max(1.0, (oldest + WINDOW - now).total_seconds())
        raise LimitExceeded(f"{reason} Wait a minute, then try again.", retry_after=wait)


def matches(code: SetupCode, typed: str) -> bool:
    """Whether `typed` is the code; case, dashes and spaces do not matter. Takes the same time for every wrong code."""
    return hmac.compare_digest(_bare(code.text), _bare(typed[:64]))


def _bare(text: str) -> bytes:
    return "".join(character for character in text.upper() if character.isalnum()).encode()
