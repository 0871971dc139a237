"""From a locked folder to an appliance: the key, the database at this version's schema, the parts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from framerr.appliance import Appliance, build, database
from framerr.backups import create, swap
from framerr.core.config import Settings
from framerr.core.crypto import resolve_key
from framerr.core.errors import Corrupt, Incompatible
from framerr.core.paths import Paths
from framerr.observability import masking

log = logging.getLogger(__name__)


def open_instance(settings: Settings, paths: Paths, now: datetime, *, on_trial: bool = False) -> Appliance | None:
    """The appliance of a locked folder; the caller closes its `db`.

    None when a restored state on trial cannot be opened by this version: the previous one was given back then, and the
    caller begins anew. Raises InvalidInput for a key that cannot be used, Incompatible or Corrupt for a database that
    cannot, Unavailable or DiskFull.
    """
    key = resolve_key(settings, paths)
    masking.register_key(key.raw)
    try:
        with distrusting(paths.database):
            database.bring_up(paths.database, backup=partial(create.before_upgrade, paths, key, now))
            return build(settings, paths, key, now)
    except (Corrupt, Incompatible) as error:
        if not on_trial:
            raise
        log.error("The restored state cannot be used, so the previous one comes back. %s", error.message)  # noqa: TRY400 - the sentence says it all
        swap.give_back(paths, error.message, now)
        return None


@contextmanager
def distrusting(path: Path) -> Iterator[None]:
    """Turn what the database at `path` makes this program's own code raise into Corrupt.

    A restored state may hold rows, types and triggers that this program never writes. Whoever boots on it or rescues it
    needs one answer to that, not an accident.
    """
    try:
        yield
    except (SQLAlchemyError, AttributeError, LookupError, TypeError, ValueError) as error:
        log.warning("%s cannot be worked with", path, exc_info=error)
        kind = type(error).__name__
        raise Corrupt(
            f"{path} holds something that this version cannot work with ({kind}); the log has the details. "
            "Restore a backup, or put the file back."
        ) from error
