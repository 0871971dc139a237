"""A 2 GiB database backed up and restored: how much memory the appliance ever had, which must fit a container of 256 MiB.

Not among the others: it needs 12 GiB of disk and some minutes.
"""

from __future__ import annotations

from data import appliance, ask, make_instance, newest_run
from measure import Figure, say, scratch, show
from restore import wait_for_the_restored

from framerr.core.paths import Paths

MEBIBYTES = 2048
LIMIT = 256


def measure() -> list[Figure]:
    say("large: a database of 2 GiB")
    with scratch() as folder:
        paths = make_instance(folder / "source", mebibytes=MEBIBYTES)
        with appliance(paths.root) as server:
            archive = paths.backups / ask(paths.root, "backup.create")["name"]
            making = server.memory("VmHWM")
        made = newest_run(paths.database, "backup").seconds
        empty = folder / "empty"
        with appliance(empty) as server:
            ask(empty, "restore", file=str(archive))
            restoring = server.memory("VmHWM")
            wait_for_the_restored(Paths(empty), server)
        restored = newest_run(Paths(empty).data_before / "framerr.db", "restore").seconds
    return [
        Figure("backup of 2 GiB", "s", made),
        Figure("backup of 2 GiB: highest memory", "MiB", making, at_most=LIMIT),
        Figure("restore of 2 GiB", "s", restored),
        Figure("restore of 2 GiB: highest memory", "MiB", restoring, at_most=LIMIT),
    ]


if __name__ == "__main__":
    show(measure())
