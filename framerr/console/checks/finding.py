"""The answer of one check."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """`found` is a fact, `advice` what to do about it; empty when nothing is to be done."""

    check: str
    state: State
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)
