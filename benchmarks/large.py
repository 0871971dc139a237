"""A 2 GiB database backed up and restored: how much memory the appliance ever had, which must fit a container of 256 MiB.

Not among the others: it needs 12 GiB of disk and some minutes.
"""

from __future__ import annotations

from data import appliance, ask, make_instance
from measure import Figure, say, scratch, seconds, show

MEBIBYTES = 2048
LIMIT = 256


def measure() -> list[Figure]:
    say("large: a database of 2 GiB")
    with scratch() as folder:
        paths = make_instance(folder / "source", mebibytes=MEBIBYTES)
        with appliance(paths.root) as server:
            names: list[str] = []
            made = seconds(lambda: names.append(ask(paths.root, "backup.create")["name"]))
            making = server.memory("VmHWM")
        archive = paths.backups / names[0]
        empty = folder / "empty"
        with appliance(empty) as server:
            restored = seconds(lambda: ask(empty, "restore", file=str(archive)))
            restoring = server.memory("VmHWM")
    return [
        Figure("backup of 2 GiB", "s", made),
        Figure("backup of 2 GiB: highest memory", "MiB", making, at_most=LIMIT),
        Figure("restore of 2 GiB", "s", restored),
        Figure("restore of 2 GiB: highest memory", "MiB", restoring, at_most=LIMIT),
    ]


if __name__ == "__main__":
    show(measure())
