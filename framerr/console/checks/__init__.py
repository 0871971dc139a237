"""What `framerr doctor` looks at, whether the instance runs, is stopped, or does not boot.

Promise: each check reads only, answers with what was found and what to do, and no finding keeps the others from being
made. Prohibitions: changes nothing, makes no key.
"""

from __future__ import annotations

from datetime import datetime

from framerr.console.checks import clock, database, disk, key, running
from framerr.console.checks.finding import Finding
from framerr.core.config import Settings
from framerr.core.paths import Paths


def examine(settings: Settings, now: datetime) -> list[Finding]:
    """Every finding, in the order in which they explain each other."""
    paths = Paths(settings.config_dir)
    stored = database.look(paths)
    return [
        disk.folder(paths),
        disk.permissions(paths),
        disk.mount(paths),
        disk.file_system(paths),
        disk.one_file_system(paths),
        disk.free_space(paths),
        running.process(paths, settings),
        clock.clock(stored, now),
        clock.time_zone(stored),
        key.key(settings, paths, stored),
        database.database(stored),
        database.sqlite(),
        running.restore(paths),
        running.backups(paths, stored, now),
    ]
