"""The wizard's way: one next step, Back always possible, nothing to replay (issue 2, Setup wizard)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from framerr.setup.steps import Facts, Step, may_visit, next_step, position, trail

FRESH: tuple[Step, ...] = ("code", "choice", "account", "instance", "schedule")
RESTORE: tuple[Step, ...] = ("code", "choice", "upload", "contents", "restoring")
BEGINNING = Facts()
PROVEN = replace(BEGINNING, code_proven=True)
EVERYTHING = [
    Facts(*answers[:3], track, *answers[3:])  # type: ignore[arg-type]
    for *answers, track in product(*[[False, True]] * 7, [None, "fresh", "restore"])
]


def test_start_fresh_asks_one_thing_after_the_other() -> None:
    """R-002-29."""
    fresh = replace(PROVEN, track="fresh")
    account = replace(fresh, account_given=True)

    assert next_step(BEGINNING) == "code"
    assert next_step(PROVEN) == "choice"
    assert next_step(fresh) == "account"
    assert next_step(account) == "instance"
    assert next_step(replace(account, instance_given=True)) == "schedule"
    assert next_step(replace(account, instance_given=True, has_users=True)) == "done"


def test_restore_from_backup_asks_one_thing_after_the_other() -> None:
    """R-002-27, R-002-30."""
    restore = replace(PROVEN, track="restore")
    uploaded = replace(restore, archive_uploaded=True)

    assert next_step(restore) == "upload"
    assert next_step(uploaded) == "contents"
    assert next_step(replace(uploaded, restore_started=True)) == "restoring"


def test_without_a_code_the_choice_comes_first() -> None:
    facts = Facts(asks_code=False)

    assert next_step(facts) == "choice"
    assert trail(facts) == FRESH[1:]
    assert position("choice", facts) == (1, 4)


def test_with_users_nothing_of_the_wizard_is_left() -> None:
    for facts in (facts for facts in EVERYTHING if facts.has_users):
        assert next_step(facts) == "done"
        assert not any(may_visit(step, facts) for step in {*FRESH, *RESTORE})


def test_without_the_code_there_is_only_the_code() -> None:
    locked = [facts for facts in EVERYTHING if facts.asks_code and not facts.code_proven and not facts.has_users]
    for facts in locked:
        assert next_step(facts) == "code"
        assert [step for step in {*FRESH, *RESTORE} if may_visit(step, facts)] == ["code"]


def test_the_next_step_may_be_visited_and_none_after_it() -> None:
    for facts in EVERYTHING:
        following = next_step(facts)
        way = trail(facts)

        assert may_visit(following, facts)
        later = way[way.index(following) + 1 :] if following in way else ()
        assert not any(may_visit(step, facts) for step in later)


def test_back_is_always_there_until_a_restore_runs() -> None:
    facts = replace(PROVEN, track="restore", archive_uploaded=True)

    assert [step for step in RESTORE if may_visit(step, facts)] == ["code", "choice", "upload", "contents"]
    running = replace(facts, restore_started=True)
    assert [step for step in RESTORE if may_visit(step, running)] == ["restoring"]
    assert not may_visit("account", facts)


@pytest.mark.parametrize(("step", "dot"), [("code", 1), ("choice", 2), ("account", 3), ("schedule", 5), ("done", 5)])
def test_dots_of_start_fresh(step: Step, dot: int) -> None:
    assert position(step, replace(PROVEN, track="fresh")) == (dot, 5)


def test_dots_of_restore() -> None:
    facts = replace(PROVEN, track="restore")

    assert [position(step, facts) for step in RESTORE] == [(n, 5) for n in range(1, 6)]
