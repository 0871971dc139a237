"""Preparing a restore or a reset, and asking for the restart that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from framerr.appliance import Appliance
from framerr.backups import folder, reset, restore
from framerr.backups.staging import WayBack
from framerr.core import uploads
from framerr.core.errors import Conflict, Corrupt, InvalidInput, Unavailable
from framerr.jobs.runner import RunContext
from framerr.setup import finish


def restore_archive(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Stage an archive and restart into it.

    `params` name it: `backup` (a uid of the list), `upload` (a file name in `incoming/uploads`) or `file` (a path, from
    a command); `name` is what people call it. An upload is removed once it waits for the restart: it is readable, and
    everything in it is staged. A locked instance may do this: the archive's credentials are sealed with the key at hand.
    Raises Conflict, too, when the instance had no user at first and has one at the end: whoever set it up meanwhile
    would vanish.
    """
    name = str(context.params.get("name", ""))
    staged = restore.stage(
        appliance.db,
        appliance.paths,
        appliance.key,
        _source(appliance, context.params),
        name=name,
        requested_by=context.requested_by or "",
        limits=appliance.limits,
        still_wanted=_unused_if_it_was(appliance),
        progress=context.progress,
        now=context.now,
    )
    forget_upload(appliance, context)
    appliance.lifecycle.request_restart(f"restore of {staged.what}")
    told = {"name": name, "what": staged.what, "warnings": list(staged.warnings)}
    return told | _way_back(staged.way_back)


def forget_upload(appliance: Appliance, context: RunContext) -> None:
    """Remove the upload that `params` name, and what was announced about it. One that cannot be removed now is removed
    when it expires."""
    upload = context.params.get("upload")
    if not isinstance(upload, str):
        return
    try:
        uploads.remove(appliance.paths, Path(upload).stem)
    except Unavailable as error:
        context.progress.note(f"The upload is not removed yet. {error.message}", "warn")


def reset_instance(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Stage an empty instance and restart into its wizard."""
    way_back = reset.stage_reset(
        appliance.db,
        appliance.paths,
        appliance.key,
        requested_by=context.requested_by or "",
        progress=context.progress,
        now=context.now,
    )
    appliance.lifecycle.request_restart("reset to the setup wizard")
    return _way_back(way_back)


def _unused_if_it_was(appliance: Appliance) -> Callable[[], None]:
    """A check for later: an instance that has no user now has none then. Nothing is asked of one that has users, or
    whose database cannot be read."""

    def check() -> None:
        with appliance.db.reading() as session:
            finish.check_unused(session)

    try:
        check()
    except (Conflict, Corrupt, Unavailable):
        return lambda: None
    return check


def _way_back(way_back: WayBack) -> dict[str, object]:
    safety = way_back.safety.name if way_back.safety else None
    return {"way_back": way_back.sentence, "safety_backup": safety}


def _source(appliance: Appliance, params: Mapping[str, Any]) -> Path:
    match dict(params):
        case {"backup": str(uid)}:
            with appliance.db.reading() as session:
                return folder.file_of(appliance.paths, folder.get(session, uid))
        case {"upload": str(name)} if name and name == Path(name).name:
            return appliance.paths.uploads / name
        case {"file": str(path)} if Path(path).is_absolute():
            return Path(path)
    raise InvalidInput("The restore does not name an archive. Choose one of the list, or upload it again.")
