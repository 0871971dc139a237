"""Every benchmark, or the named ones, as one table."""

from __future__ import annotations

import sys
from importlib import import_module

from measure import show

NAMES = ("boot", "memory", "pages", "backup", "restore", "upload")
APART = ("large",)


def main(names: list[str]) -> None:
    unknown = set(names) - {*NAMES, *APART}
    if unknown:
        sys.exit(f"There is no benchmark named {', '.join(sorted(unknown))}. There are: {', '.join(NAMES + APART)}.")
    show([figure for name in names or NAMES for figure in import_module(name).measure()])


if __name__ == "__main__":
    main(sys.argv[1:])
