"""Resident memory of the appliance, ready for ten seconds and asked for nothing else. The peer is a bare Flask page with
SQLAlchemy under waitress, which idles beside it at the same time.
"""

from __future__ import annotations

import time

from data import appliance, make_instance
from measure import Figure, bare, say, scratch, show

IDLE = 10.0


def measure() -> list[Figure]:
    say(f"memory: after {IDLE:g} s")
    with scratch() as folder:
        paths = make_instance(folder / "config")
        with appliance(paths.root) as ours, bare("orm") as peer:
            time.sleep(IDLE)
            return [
                Figure("idle memory (RSS)", "MiB", ours.memory(), peer.memory(), at_most=110),
                Figure("idle memory (PSS)", "MiB", ours.private_memory(), peer.private_memory()),
            ]


if __name__ == "__main__":
    show(measure())
