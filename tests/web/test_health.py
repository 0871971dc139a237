"""Liveness and readiness."""

from __future__ import annotations

import pytest

from framerr.appliance import Appliance
from framerr.web import create_app
from tests.web.people import Visitor, set_up


@pytest.mark.parametrize("before_setup", [True, False])
def test_both_answer_without_signing_in(empty: Appliance, before_setup: bool) -> None:
    """Before setup and after."""
    if not before_setup:
        set_up(empty)
    visitor = Visitor(create_app(empty))
    assert visitor.get("/health").json == {"status": "alive"}
    ready = visitor.get("/health/ready")
    assert (ready.status_code, ready.json) == (200, {"status": "ready", "reasons": {}})


def test_what_is_not_ready_is_said(appliance: Appliance) -> None:
    """503 with each reason, while the process itself is alive."""
    appliance.lifecycle.check_with("scheduler", lambda: "The scheduler has not ticked for 90 seconds.")
    visitor = Visitor(create_app(appliance))
    ready = visitor.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json["reasons"] == {"scheduler": "The scheduler has not ticked for 90 seconds."}
    assert visitor.get("/health").status_code == 200


def test_a_database_that_does_not_answer_is_a_reason(appliance: Appliance, stranger: Visitor) -> None:
    """Liveness does not depend on it: restarting the process would not help."""
    appliance.db.close()
    appliance.paths.database.write_bytes(b"this is not a database" * 1000)
    for name in ("-wal", "-shm"):
        appliance.paths.database.with_name(appliance.paths.database.name + name).unlink(missing_ok=True)
    ready = stranger.client.get("/health/ready")
    assert ready.status_code == 503
    assert "database" in ready.json["reasons"]
    assert stranger.client.get("/health").status_code == 200
