"""The first thing a boot does, and nothing else: make the folders, look at the markers."""

from __future__ import annotations

import sys
from pathlib import Path

from framerr.backups import swap
from framerr.core.clock import utcnow
from framerr.core.paths import Paths

if __name__ == "__main__":
    paths = Paths(Path(sys.argv[1]) / "config")
    paths.prepare()
    swap.begin_boot(paths, utcnow())
