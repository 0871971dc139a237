"""Who this instance is, and what is true of this folder only.

Two tables, because a backup must carry the first and never the second: `Instance` (a random id: archives made by it are
recognised, and a restored container continues the same instance) and `InstanceLocal` (the fingerprint of the key that
seals here and the last backup number, which a restore must not set back).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from framerr.settings.models import Instance, InstanceLocal

LARGEST_SERIAL = 10**9


def ensure(session: Session, now: datetime) -> Instance:
    """This instance, made on the first call. Needs a writing session."""
    found = session.get(Instance, 1)
    if found is None:
        found = Instance(id=1, created_at=now)
        session.add(found)
        session.flush()
    return found


def local(session: Session) -> InstanceLocal:
    """What describes this folder, made on the first call. Needs a writing session."""
    found = session.get(InstanceLocal, 1)
    if found is None:
        found = InstanceLocal(id=1, backup_serial=0)
        session.add(found)
        session.flush()
    return found


def believable(serial: int) -> int:
    """A backup number as it counts here: 0 for one that no instance reaches, which a forged or damaged file may hold."""
    return serial if 0 <= serial <= LARGEST_SERIAL else 0


def next_backup_serial(session: Session, *, above: int = 0) -> int:
    """A backup number never given before here, and higher than `above` (the highest seen in the folder).

    Numbers that are not `believable` do not count, so one of them cannot end all counting.
    """
    row = local(session)
    row.backup_serial = max(believable(row.backup_serial), believable(above)) + 1
    return row.backup_serial
