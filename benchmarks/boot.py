"""From starting the process to being healthy: `framerr serve` until /health/ready answers 200, on the folder of an instance
that is set up and on an empty one (keys, folders and the database's schema are made). The peer is a bare Flask page under
waitress, from its start to its first page.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from data import appliance, make_instance
from measure import Figure, Server, bare, median, say, scratch, show

ROUNDS = 5


def measure() -> list[Figure]:
    say("boot: set up and empty")
    with scratch() as folder:
        paths = make_instance(folder / "config")
        time_of(appliance(paths.root))  # the first one compiles what was never imported before
        set_up, empty, peer = [], [], []
        for _ in range(ROUNDS):
            set_up.append(time_of(appliance(paths.root)))
            empty.append(time_on_empty(folder / "empty"))
            peer.append(time_of(bare("page")))
    return [
        Figure("boot to healthy", "s", median(set_up), median(peer), at_most=2.0),
        Figure("first boot on an empty folder", "s", median(empty), median(peer), at_most=2.0),
    ]


def time_of(server: Server) -> float:
    with server:
        return server.boot


def time_on_empty(folder: Path) -> float:
    took = time_of(appliance(folder))
    shutil.rmtree(folder)
    return took


if __name__ == "__main__":
    show(measure())
