"""`python -m framerr`."""

from __future__ import annotations

from framerr.cli import main

if __name__ == "__main__":
    main()
