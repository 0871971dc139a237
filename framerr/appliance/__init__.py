"""The composition root: the long-lived parts of one running instance, and how its folder is opened.

Promise: `build` puts the parts of an opened folder together; they do not change afterwards. `folder` and `database`
prepare what it is given.
Prohibitions: starts no thread and listens on nothing (that is `server`), knows nothing of HTTP. Rooms never import this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from framerr.accounts import models as accounts_models
from framerr.appliance import locked
from framerr.backups import models as backups_models
from framerr.core.config import Settings
from framerr.core.crypto import InstanceKey
from framerr.core.db import Database
from framerr.core.lifecycle import Lifecycle
from framerr.core.paths import Paths
from framerr.core.zips import Limits
from framerr.integrations import models as integrations_models
from framerr.jobs import models as jobs_models
from framerr.observability import models as observability_models
from framerr.settings import models as settings_models
from framerr.settings import store

# Importing them is what puts their tables into the schema.
MODELS = (accounts_models, backups_models, integrations_models, jobs_models, observability_models, settings_models)


@dataclass(frozen=True)
class Appliance:
    """`locked` is the sentence that says why nothing runs (a missing key), or None."""

    settings: Settings
    paths: Paths
    db: Database
    key: InstanceKey
    locked: str | None
    started_at: datetime
    lifecycle: Lifecycle

    @property
    def limits(self) -> Limits:
        """How large an archive from outside may unpack."""
        return Limits.up_to(self.settings.archive_limit_gb * 10**9)

    def zone(self) -> ZoneInfo:
        """The instance's time zone, as set now."""
        with self.db.reading() as session:
            return ZoneInfo(store.read(session).time_zone)


def build(settings: Settings, paths: Paths, key: InstanceKey, now: datetime) -> Appliance:
    """Open the database of a prepared, migrated folder and put the parts together.

    A key that cannot open what is sealed here gives a locked appliance: signing in works, nothing runs. A new key with
    nothing sealed is adopted. Raises Corrupt, Unavailable or DiskFull when the database cannot be used; then nothing
    stays open.
    """
    db = Database(paths.database)
    try:
        with db.writing() as session:
            sentence = locked.settle(session, key, paths)
    except BaseException:
        db.close()
        raise
    return Appliance(settings, paths, db, key, sentence, started_at=now, lifecycle=Lifecycle())
