"""Flags that the server acts on."""

from __future__ import annotations

from framerr.core.lifecycle import Lifecycle


def test_a_restart_is_asked_for_with_its_reason() -> None:
    lifecycle = Lifecycle()
    assert not lifecycle.ending

    lifecycle.request_restart("a restore is pending")

    assert lifecycle.ending
    assert lifecycle.wait(0)
    assert lifecycle.restart_reason == "a restore is pending"


def test_a_stop_is_no_restart() -> None:
    lifecycle = Lifecycle()

    lifecycle.request_stop()

    assert lifecycle.ending
    assert lifecycle.restart_reason is None


def test_readiness_names_what_fails() -> None:
    lifecycle = Lifecycle()
    lifecycle.check_with("database", lambda: None)
    lifecycle.check_with("scheduler", lambda: "No tick for 90 seconds.")

    assert lifecycle.not_ready() == {"scheduler": "No tick for 90 seconds."}


def test_waking_reaches_everyone_who_registered() -> None:
    lifecycle = Lifecycle()
    woken: list[str] = []
    lifecycle.on_wake(lambda: woken.append("runner"))

    lifecycle.wake()

    assert woken == ["runner"]
