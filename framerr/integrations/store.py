"""Connected services: added, found, opened, sealed anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from framerr.core.crypto import InstanceKey, sealed_with
from framerr.core.errors import Corrupt, NotFound
from framerr.core.text import one_line
from framerr.integrations.models import Integration

CONTEXT: Final = "integrations.credential"


@dataclass(frozen=True)
class KeyState:
    """How many credentials the key opens, how many other keys sealed (fingerprint to count), how many are damaged."""

    opened: int
    other_keys: Mapping[str, int]
    damaged: int

    @property
    def is_whole(self) -> bool:
        return not self.other_keys and not self.damaged


def add(
    session: Session,
    key: InstanceKey,
    *,
    kind: str,
    name: str,
    config: Mapping[str, Any],
    credential: Mapping[str, Any],
    now: datetime,
) -> Integration:
    """Add a service. `config` is kept and logged as it is, so what is secret belongs into `credential`.

    Raises InvalidInput (field `name`).
    """
    integration = Integration(
        kind=kind,
        name=one_line(name, label="The name", field="name", longest=100),
        config=dict(config),
        credential=_sealed(key, credential),
        created_at=now,
        state="unknown",
        state_text="",
    )
    session.add(integration)
    session.flush()
    return integration


def list_integrations(session: Session) -> Sequence[Integration]:
    """All services, by name."""
    return session.scalars(select(Integration).order_by(func.lower(Integration.name), Integration.id)).all()


def get(session: Session, uid: str) -> Integration:
    """Raises NotFound."""
    found = session.scalar(select(Integration).where(Integration.uid == uid))
    if found is None:
        raise NotFound("This integration does not exist any more.")
    return found


def replace_credential(session: Session, key: InstanceKey, uid: str, credential: Mapping[str, Any]) -> Integration:
    """Seal a credential entered again, whatever key sealed the old one; its state is unknown until checked.

    Raises NotFound.
    """
    integration = get(session, uid)
    integration.credential = _sealed(key, credential)
    integration.state, integration.state_text, integration.checked_at = "unknown", "", None
    return integration


@contextmanager
def opened(key: InstanceKey, integration: Integration) -> Iterator[dict[str, Any]]:
    """The plain credential, for the length of the block; the dict is emptied afterwards.

    Raises Forbidden when another key sealed it, Corrupt when it was altered.
    """
    credential = _opened(key, integration.credential)
    try:
        yield credential
    finally:
        credential.clear()


def key_state(session: Session, key: InstanceKey) -> KeyState:
    """Try every credential. Says so instead of raising."""
    found = 0
    damaged = 0
    others: Counter[str] = Counter()
    for sealed in session.scalars(select(Integration.credential)):
        try:
            fingerprint = sealed_with(sealed)
            if fingerprint != key.fingerprint:
                others[fingerprint] += 1
                continue
            _opened(key, sealed).clear()
            found += 1
        except Corrupt:
            damaged += 1
    return KeyState(found, dict(others), damaged)


def _sealed(key: InstanceKey, credential: Mapping[str, Any]) -> str:
    return key.seal(msgspec.json.encode(dict(credential)).decode(), CONTEXT)


def _opened(key: InstanceKey, sealed: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(key.open(sealed, CONTEXT), type=dict[str, Any])
    except msgspec.DecodeError:
        raise Corrupt("A stored credential is not in a form this version knows. Enter it again.") from None
