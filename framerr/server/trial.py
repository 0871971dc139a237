"""Whether a restored state proves itself: a pure judgement over readiness and time (T16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SECONDS = 60.0

Verdict = Literal["confirm", "give back"]


@dataclass
class Trial:
    """Watches one boot on trial. Time is monotonic seconds; readiness counts only in a row."""

    since: float
    was_ready: bool = False

    def judge(self, *, ready: bool, at: float) -> Verdict | None:
        """60 s ready in a row confirm the state, 60 s not ready give the previous one back; None: keep watching."""
        if ready != self.was_ready:
            self.was_ready, self.since = ready, at
        if at - self.since < SECONDS:
            return None
        return "confirm" if ready else "give back"
