"""Archives whose texts somebody wrote to do harm; everything else in them is as it should be."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from framerr.appliance import Appliance
from framerr.backups.create import create_backup
from framerr.core.clock import utcnow
from framerr.jobs.progress import Progress

TEXT = "\u202e\x1b[2J" + "A" * 20_000


def archive(appliance: Appliance) -> Path:
    """A backup of `appliance` in its folder of backups, with TEXT wherever a manifest holds a text."""
    made = create_backup(appliance.db, appliance.paths, appliance.key, type="manual", progress=Progress(), now=utcnow())
    path = appliance.paths.backups / made.name
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(members["manifest.json"])
    manifest |= {"app_version": TEXT, "note": TEXT}
    manifest["instance"]["name"] = TEXT
    for part in manifest["included"]:
        part |= {"title": TEXT, "why": TEXT}
    for purged in manifest["purged_on_restore"]:
        purged |= {"name": TEXT, "words": TEXT}
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return path
