"""SIGTERM and SIGINT: leave at once while booting, politely afterwards."""

from __future__ import annotations

import signal
import sys
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Install once, in the main thread. A handler only sets a flag: locks may be held where it interrupts."""

    def __init__(self) -> None:
        self.received: str | None = None
        self._booting = True
        for number in ENDING:
            signal.signal(number, self._note)

    def booted(self) -> None:
        """From here on a signal is only noted, and the main thread ends things in order."""
        self._booting = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name
        if self._booting:  # every step of booting may be cut off anywhere, also by a kill
            sys.exit(0)
