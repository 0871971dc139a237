"""What a browser has told the setup wizard so far: that it knows the setup code, and the answers of Start Fresh.

The proof of the code is in the signed cookie and holds for that code only, so it survives a restart and ends with the
code. The answers hold a password, so they stay in the memory of this process for an hour under a random name, and only
the name is in the cookie; after a restart the wizard asks again. No password ever reaches a cookie, a page or the disk.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from flask import current_app, g, session

from framerr.core.errors import Forbidden
from framerr.jobs import queue
from framerr.setup import code
from framerr.setup.code import Gate, SetupCode
from framerr.setup.steps import Facts, Track
from framerr.web import current

DRAFTS = 32
DRAFT_KEPT = timedelta(hours=1)
# Uploads before setup belong to the wizard, whichever browser proved the code.
UPLOADS_OWNER = "wizard"
_EXTENSION = "framerr.wizard"
_PROOF = "setup_proof"
_DRAFT = "setup_draft"


@dataclass(frozen=True)
class Account:
    """The administrator to be."""

    username: str
    display_name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Draft:
    """The answers given so far."""

    account: Account | None = None
    instance_name: str = ""
    time_zone: str = ""


class Wizard:
    """The wizard's memory in one process. Safe to use from many threads.

    `one_upload` is held while an upload is announced, so that there is never more than one.
    """

    def __init__(self) -> None:
        self.one_upload = threading.Lock()
        self._lock = threading.Lock()
        self._gates: dict[str, Gate] = {}
        self._drafts: OrderedDict[str, tuple[Draft, datetime]] = OrderedDict()

    def gate(self, known: SetupCode) -> Gate:
        """The counter of tries at this code."""
        with self._lock:
            return self._gates.setdefault(known.text, Gate(known))

    def read(self, name: str, now: datetime) -> Draft | None:
        with self._lock:
            found = self._drafts.get(name)
        return found[0] if found is not None and abs(now - found[1]) < DRAFT_KEPT else None

    def write(self, name: str, draft: Draft, now: datetime) -> None:
        """Keep a draft; the oldest of too many is forgotten."""
        with self._lock:
            self._drafts[name] = (draft, now)
            self._drafts.move_to_end(name)
            while len(self._drafts) > DRAFTS:
                self._drafts.popitem(last=False)

    def forget(self, name: str) -> None:
        with self._lock:
            self._drafts.pop(name, None)


def memory() -> Wizard:
    """The wizard's memory of this process."""
    return cast(Wizard, current_app.extensions.setdefault(_EXTENSION, Wizard()))


def asked_code() -> SetupCode | None:
    """The code this instance asks for, or None when it asks for none. Raises DiskFull or Unavailable."""
    if "setup_code" not in g:
        parts = current.appliance()
        g.setup_code = code.load_or_make(parts.paths, parts.settings.setup_code)
    return cast(SetupCode | None, g.setup_code)


def is_code_proven() -> bool:
    """Whether this browser may go on: it gave the code, or none is asked for."""
    known = asked_code()
    return known is None or hmac.compare_digest(str(session.get(_PROOF, "")), _proof(known))


def prove_code(typed: str) -> None:
    """Take a try at the code. Raises Forbidden for a wrong one, LimitExceeded (`retry_after`) after too many tries."""
    known = asked_code()
    if known is not None:
        memory().gate(known).check(typed, current.now(), current.address())
        session[_PROOF] = _proof(known)


def require_code() -> None:
    """Raises Forbidden in a browser that did not give the code."""
    if not is_code_proven():
        raise Forbidden("Type the setup code first. It is in the log and in setup-code.txt in the config folder.")


def draft() -> Draft:
    """The answers of this browser; empty at first, and after an hour or a restart."""
    return memory().read(str(session.get(_DRAFT, "")), current.now()) or Draft()


def keep(**answers: Any) -> None:
    """Add answers (fields of Draft) to this browser's draft."""
    name = session.setdefault(_DRAFT, secrets.token_urlsafe(16))
    memory().write(name, replace(draft(), **answers), current.now())


def forget() -> None:
    """Drop the draft of this browser."""
    memory().forget(str(session.pop(_DRAFT, "")))


def facts(track: Track | None) -> Facts:
    """What decides which step is next, on the way that a page belongs to."""
    given = draft()
    with current.appliance().db.reading() as reading:
        restoring = queue.open_run(reading, "restore") is not None
    return Facts(
        asks_code=asked_code() is not None,
        code_proven=is_code_proven(),
        track="restore" if restoring else track,
        account_given=given.account is not None,
        instance_given=bool(given.instance_name),
        archive_uploaded=track == "restore",
        restore_started=restoring,
    )


def _proof(known: SetupCode) -> str:
    key = cast(bytes, current_app.secret_key)
    return hmac.new(key, b"setup code\0" + known.text.encode(), hashlib.sha256).hexdigest()
