"""Whether the key at hand is the one that sealed this instance's credentials.

Promise: nothing is decided by guessing. A wrong key never overwrites the record of the right one.
"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Select, Text, column, select, table
from sqlalchemy.orm import Session

from framerr.core.crypto import InstanceKey, sealed_with
from framerr.core.db import sealed_columns
from framerr.core.errors import Corrupt
from framerr.core.paths import Paths
from framerr.settings import instance


def settle(session: Session, key: InstanceKey, paths: Paths) -> str | None:
    """Compare `key` with what is sealed; adopt it when nothing contradicts, else the sentence that says what to do."""
    strangers = Counter(sealed_by(session))
    del strangers[key.fingerprint]
    if strangers:
        return _sentence(strangers, key, paths)
    instance.local(session).key_fingerprint = key.fingerprint
    return None


def sealed_by(session: Session) -> list[str]:
    """The fingerprint behind every sealed value, found in the schema; damaged values are no key's business."""
    found: list[str] = []
    for table_name, name in sealed_columns():
        for value in session.scalars(_values(table_name, name)):
            try:
                found.append(sealed_with(value))
            except Corrupt:  # said where that credential is used
                continue
    return found


def _values(table_name: str, name: str) -> Select[str]:
    return select(column(name, Text)).select_from(table(table_name))


def _sentence(strangers: Counter[str], key: InstanceKey, paths: Paths) -> str:
    count = strangers.total()
    names = " and ".join(sorted(strangers))
    what = "1 credential was" if count == 1 else f"{count} credentials were"
    return (
        f"{what} sealed with the key {names}, but this instance was started with the key {key.fingerprint}, so nothing "
        f"runs. Put the old key back, in SECRET_ENCRYPTION_KEY or in {paths.instance_key} (only one of the two), and "
        "start again; or enter the credentials again under Settings → Integrations."
    )
