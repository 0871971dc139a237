"""A restored state proves itself by a minute of readiness in a row, or gives way after a minute without (T16)."""

from __future__ import annotations

import pytest

from framerr.server.trial import SECONDS, Trial, Verdict

TIMELINES: list[tuple[str, list[tuple[float, bool]], Verdict | None]] = [
    ("ready from the start", [(0, True), (30, True), (60, True)], "confirm"),
    ("not a second too early", [(0, True), (59.9, True)], None),
    ("ready after a while", [(0, False), (50, True), (109, True), (110, True)], "confirm"),
    ("never ready", [(0, False), (59, False), (60, False)], "give back"),
    ("fell silent and came back", [(0, True), (50, False), (55, True), (114, True)], None),
    ("fell silent for good", [(0, True), (30, False), (89, False), (90, False)], "give back"),
]


@pytest.mark.parametrize(("looks", "verdict"), [line[1:] for line in TIMELINES], ids=[line[0] for line in TIMELINES])
def test_the_verdict_follows_readiness_in_a_row(looks: list[tuple[float, bool]], verdict: Verdict | None) -> None:
    trial = Trial(since=0)
    verdicts = [trial.judge(ready=ready, at=at) for at, ready in looks]
    assert verdicts[:-1] == [None] * (len(looks) - 1)
    assert verdicts[-1] == verdict


def test_a_minute_is_a_minute() -> None:
    assert SECONDS == 60
