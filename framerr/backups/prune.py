"""Carrying out what `retention` decided: the old goes only after the new is proven (T32), file by file, each an event."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from framerr.backups import delete, folder, pinfiles, retention
from framerr.backups.models import HELD, PRUNED, Backup, PruneMark
from framerr.backups.retention import Archive, LastPrune, Plan, Policy
from framerr.core.db import Database
from framerr.core.errors import NotFound, Unavailable
from framerr.core.paths import Paths
from framerr.observability import events
from framerr.settings import store


@dataclass(frozen=True)
class Pruned:
    """What a prune did: names that went, sentences about files that could not, and the reason it is held, if it is."""

    deleted: tuple[str, ...]
    problems: tuple[str, ...]
    held: str | None


def preview(
    session: Session,
    *,
    maximum: int | None = None,
    just_made: str | None = None,
    coming: bool = False,
    now: datetime,
) -> Plan:
    """What a prune would do, with the Max that is set or with another one (to ask before lowering it).

    `coming`: what it would do after one more backup, which has the uid "" in the plan. Raises InvalidInput for a Max
    outside 1 to 30.
    """
    values = store.read(session)
    policy = Policy(values.max_backups if maximum is None else maximum, values.time_zone)
    own = folder.own_uid(session)
    archives = [_archive(row, own) for row in folder.present(session)]
    if coming:
        archives.append(Archive("", "scheduled", sys.maxsize, now, "good"))
    return retention.plan(archives, policy, just_made=just_made, last=_last(session), now=now)


def apply(
    db: Database, paths: Paths, *, just_made: str | None = None, confirmed: bool = False, now: datetime
) -> Pruned:
    """Delete what is above Max, oldest first. A held plan deletes nothing until it is `confirmed` by a person.

    Call it after a proven backup and after Max was changed. A file that cannot be deleted stays listed and is named.
    """
    with db.reading() as session:
        plan = preview(session, just_made=just_made, now=now)
    if plan.held and not confirmed:
        with db.writing() as session:
            events.record(session, HELD, level="warn", text=plan.held, now=now)
        return Pruned((), (), plan.held)
    deleted: list[str] = []
    problems: list[str] = []
    for uid in plan.goes:
        try:
            if _is_pinned_now(db, paths, uid):
                continue
            deleted.append(delete.remove(db, paths, uid, PRUNED, "was deleted: oldest above Max backups", now))
        except (NotFound, Unavailable) as error:
            problems.append(error.message)
    with db.writing() as session:
        _remember(session, now)
    return Pruned(tuple(deleted), tuple(problems), None)


def _is_pinned_now(db: Database, paths: Paths, uid: str) -> bool:
    """Somebody may have pinned it after the plan was made, or beside a row that does not know. Raises NotFound."""
    with db.reading() as session:
        row = folder.get(session, uid)
        return row.pinned_at is not None or pinfiles.read(folder.file_of(paths, row)) is not None


def _archive(row: Backup, own: str) -> Archive:
    return Archive(
        uid=row.uid,
        type=row.type,
        serial=row.serial,
        created_at=row.created_at,
        state=row.state,
        own=row.instance_uid == own,
        pinned=row.pinned_at is not None,
    )


def _last(session: Session) -> LastPrune | None:
    mark = session.get(PruneMark, 1)
    return LastPrune(mark.at, Policy(mark.maximum, mark.time_zone)) if mark else None


def _remember(session: Session, now: datetime) -> None:
    values = store.read(session)
    mark = session.get(PruneMark, 1) or PruneMark(id=1)
    mark.at, mark.maximum, mark.time_zone = now, values.max_backups, values.time_zone
    session.add(mark)
