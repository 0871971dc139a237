"""What still works when the database of a stopped instance cannot be opened: to look into an archive, to bring one back
(T17), to begin anew. The files that are there are set aside as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from framerr.backups.inspect import inspect_archive
from framerr.backups.reset import stage_reset
from framerr.backups.restore import stage
from framerr.console.actions import contents, source
from framerr.console.desk import ACTOR, Result
from framerr.core.config import Settings
from framerr.core.crypto import resolve_key
from framerr.core.paths import Paths
from framerr.core.zips import Limits
from framerr.jobs.progress import Progress

Rescue = Callable[[Settings, Paths, Mapping[str, Any], datetime], Result]


def inspect(settings: Settings, paths: Paths, params: Mapping[str, Any], _now: datetime) -> Result:
    file = source(paths, str(params["file"]))
    return contents(inspect_archive(file, paths, Progress(), limits=_limits(settings)))


def restore(settings: Settings, paths: Paths, params: Mapping[str, Any], now: datetime) -> Result:
    """Stage an archive without a live database."""
    file = source(paths, str(params["file"]))
    key, limits = resolve_key(settings, paths), _limits(settings)
    staged = stage(None, paths, key, file, requested_by=ACTOR, limits=limits, progress=Progress(), now=now)
    sentence = f"{staged.what} is in place when Framerr is started. {staged.way_back.sentence}"
    return {"what": staged.what, "warnings": list(staged.warnings), "sentence": sentence}


def reset(settings: Settings, paths: Paths, _params: Mapping[str, Any], now: datetime) -> Result:
    """Stage an empty instance without a live database."""
    key = resolve_key(settings, paths)
    way_back = stage_reset(None, paths, key, requested_by=ACTOR, progress=Progress(), now=now)
    return {"sentence": f"An empty instance is in place when Framerr is started. {way_back.sentence}"}


RESCUES: Final[dict[str, Rescue]] = {"backup.inspect": inspect, "restore": restore, "reset": reset}


def _limits(settings: Settings) -> Limits:
    return Limits.up_to(settings.archive_limit_gb * 10**9)
