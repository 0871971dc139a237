"""Making and verifying backups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from framerr.appliance import Appliance
from framerr.backups import adopt, create, prune, verify
from framerr.core.errors import Corrupt, FramerrError, InvalidInput
from framerr.jobs.progress import Progress
from framerr.jobs.runner import RunContext
from framerr.tasks.restoring import forget_upload


def back_up(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Make a proven backup, then let the oldest above the maximum go. A person asked for it, or the schedule did."""
    context.progress.plan(create.STAGES + 1)
    row = create.create_backup(
        appliance.db,
        appliance.paths,
        appliance.key,
        type="manual" if context.trigger == "manual" else "scheduled",
        note=str(context.params.get("note", "")),
        caught_up=context.trigger == "catch-up",
        progress=context.progress,
        now=context.now,
    )
    removed = _prune(appliance, row.uid, context.progress, context.now)
    return {"uid": row.uid, "name": row.name, "size": row.size, "removed": removed}


def verify_listed(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Read a listed archive back in full; `subject` is its uid. Raises Corrupt when it is not good."""
    verdict = verify.verify_backup(
        appliance.db, appliance.paths, context.subject, context.progress, limits=appliance.limits, now=context.now
    )
    if verdict.state != "good":
        raise Corrupt(verdict.sentence)
    return {"state": verdict.state, "sentence": verdict.sentence, "files": verdict.files}


def adopt_upload(appliance: Appliance, context: RunContext) -> Mapping[str, object]:
    """Prove an uploaded file (`params["upload"]`, a name in `incoming/uploads`) and take it into the list."""
    name = str(context.params.get("upload", ""))
    if not name or name != Path(name).name:
        raise InvalidInput("The upload is not named. Upload the file again.")
    row = adopt.adopt(
        appliance.db,
        appliance.paths,
        appliance.paths.uploads / name,
        limits=appliance.limits,
        progress=context.progress,
        now=context.now,
    )
    forget_upload(appliance, context)
    return {"uid": row.uid, "name": row.name, "size": row.size}


def _prune(appliance: Appliance, just_made: str, progress: Progress, now: datetime) -> list[str]:
    """A backup that was made stays made: trouble with old ones is a line in the log of its Run, not its failure."""
    progress.stage("Removing the oldest above the maximum")
    try:
        pruned = prune.apply(appliance.db, appliance.paths, just_made=just_made, now=now)
    except FramerrError as error:
        progress.note(error.message, "warn")
        return []
    for sentence in (*pruned.problems, *([pruned.held] if pruned.held else [])):
        progress.note(sentence, "warn")
    for name in pruned.deleted:
        progress.note(f"{name} was deleted: oldest above Max backups.")
    return list(pruned.deleted)
