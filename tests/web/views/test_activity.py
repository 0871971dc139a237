"""What runs, what ran, and what each run said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from framerr.appliance import Appliance
from framerr.core.clock import utcnow
from framerr.jobs import queue
from framerr.jobs.models import Run, RunLine
from framerr.observability import audit
from tests.web.people import Visitor


def add_run(appliance: Appliance, **values: Any) -> str:
    """A run as it lies in the queue; returns its uid."""
    now = utcnow()
    base: dict[str, Any] = {"kind": "backup", "trigger": "manual", "state": "done", "created_at": now}
    base |= {"started_at": now, "finished_at": now + timedelta(seconds=41)} if values.get("state") != "queued" else {}
    with appliance.db.writing() as session:
        run = Run(**base | values)
        session.add(run)
        session.flush()
        return run.uid


@contextmanager
def counted(appliance: Appliance) -> Iterator[list[str]]:
    """The statements sent to the database in the block."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(appliance.db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(appliance.db.engine, "before_cursor_execute", note)


def test_an_empty_list_says_what_will_appear(administrator: Visitor) -> None:
    """And has the one button that makes it appear."""
    page = administrator.get("/activity").text
    assert "Nothing is running. Nothing has run yet." in page
    assert "Nothing has run yet</p>" in page
    assert 'name="kind" value="backup"' in page


def test_open_runs_stand_first_with_stage_bar_and_cancel(appliance: Appliance, administrator: Visitor) -> None:
    """Then what ended, with its result and how long it took."""
    add_run(appliance, state="failed", error="The disk is full: needed 53 MB, 12 MB free.")
    uid = add_run(
        appliance,
        state="running",
        finished_at=None,
        stage="Writing files",
        step=2,
        steps=5,
        done=30,
        total=60,
        unit="files",
    )
    page = administrator.get("/activity").text
    assert "A backup is being made now." in page
    assert 'value="50' in page
    assert "Step 2 of 5: writing files" in page
    assert f"/activity/{uid}/cancel" in page
    assert "The disk is full: needed 53 MB" in page
    assert "41\u00a0s" in page
    assert page.index("Step 2 of 5") < page.index("The disk is full")


def test_the_fragment_is_part_of_the_page(appliance: Appliance, administrator: Visitor) -> None:
    """Both come from the same context."""
    add_run(appliance, state="running", finished_at=None, stage="Writing files")
    add_run(appliance, kind="housekeeping")
    page = administrator.get("/activity").text
    fragment = administrator.htmx("/activity").text
    assert fragment.lstrip().startswith('<div class="page" id="activity"')
    assert "<html" not in fragment
    token = administrator._token
    assert fragment.strip() in page
    assert token in fragment


def test_more_rows_cost_no_more_queries(appliance: Appliance, administrator: Visitor) -> None:
    """The list is one statement, whatever its length."""
    counts = []
    for _ in range(2):
        for _ in range(10):
            add_run(appliance)
        with counted(appliance) as statements:
            administrator.get("/activity")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_long_histories_have_pages(appliance: Appliance, administrator: Visitor) -> None:
    """Fifty at a time, newest first; the older page does not poll."""
    uids = [add_run(appliance) for _ in range(60)]
    first = administrator.get("/activity").text
    assert first.count('id="earlier-') == 50
    assert f'id="earlier-{uids[-1]}"' in first
    assert f"/activity?before={uids[10]}" in first
    older = administrator.get(f"/activity?before={uids[10]}").text
    assert older.count('id="earlier-') == 10
    assert "hx-trigger" not in older


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("done", "Done today"),
        ("failed", "Failed today"),
        ("interrupted", "Interrupted today"),
        ("cancelled", "Cancelled today"),
    ],
)
def test_a_run_tells_how_it_ended_and_what_it_said(
    appliance: Appliance, administrator: Visitor, state: str, words: str
) -> None:
    """With its log, lines escaped; an ended run does not poll."""
    uid = add_run(appliance, state=state, error=None if state == "done" else "Why it ended.")
    with appliance.db.writing() as session:
        run = session.scalars(select(Run)).one()
        session.add(RunLine(run_id=run.id, at=utcnow(), level="warn", text="A <file> was skipped"))
    page = administrator.get(f"/activity/{uid}").text
    assert words in page.replace("\u00a0", " ")
    assert "A &lt;file&gt; was skipped" in page
    assert "Warning:" in page
    assert "1\u00a0line" in page
    assert "hx-trigger" not in page


def test_progress_polls_until_the_end_and_then_says_so(appliance: Appliance, administrator: Visitor) -> None:
    """The page that shows it hears `run-ended`."""
    uid = add_run(appliance, state="running", finished_at=None)
    path = f"/activity/{uid}/progress"
    open_part = administrator.htmx(path)
    assert f'hx-get="{path}"' in open_part.text
    assert "HX-Trigger" not in open_part.headers
    with appliance.db.writing() as session:
        run = queue.get(session, uid)
        run.state, run.finished_at = "done", utcnow()
    ended = administrator.htmx(path)
    assert "hx-get" not in ended.text
    assert ended.headers["HX-Trigger"] == "run-ended"


def test_a_waiting_run_is_cancelled_at_once(appliance: Appliance, administrator: Visitor) -> None:
    """A running one is asked to stop; both are in the audit log."""
    waiting = add_run(appliance, state="queued")
    response = administrator.post(f"/activity/{waiting}/cancel")
    assert "Backup is cancelled." in administrator.get(response.location).text
    running = add_run(appliance, state="running", finished_at=None)
    response = administrator.post(f"/activity/{running}/cancel", {"next": "/activity"})
    assert response.location == "/activity"
    assert "Backup stops at its next safe point." in administrator.get("/activity").text
    with appliance.db.reading() as session:
        assert queue.get(session, running).cancel_requested_at is not None
        assert [entry.action for entry in audit.recent(session)][:2] == ["run.cancel_requested"] * 2


def test_cancelling_what_ended_changes_nothing(appliance: Appliance, administrator: Visitor) -> None:
    """And says that it had ended."""
    uid = add_run(appliance)
    response = administrator.post(f"/activity/{uid}/cancel")
    assert "had ended already" in administrator.get(response.location).text
    assert administrator.post("/activity/none/cancel").status_code == 404


@pytest.mark.parametrize("kind", ["backup", "housekeeping"])
def test_run_now_queues_one_and_wakes_the_workers(appliance: Appliance, administrator: Visitor, kind: str) -> None:
    """Asked twice, there is one (T42)."""
    woken: list[str] = []
    appliance.lifecycle.on_wake(lambda: woken.append(kind))
    first = administrator.post("/activity/run-now", {"kind": kind})
    second = administrator.post("/activity/run-now", {"kind": kind})
    assert first.status_code == 303
    assert first.location == second.location
    assert woken == [kind, kind]
    with appliance.db.reading() as session:
        run = session.scalars(select(Run)).one()
        assert (run.kind, run.trigger, run.requested_by) == (kind, "manual", "alice")


@pytest.mark.parametrize("kind", ["", "reset", "restore", "nonsense"])
def test_only_harmless_kinds_can_be_run_now(appliance: Appliance, administrator: Visitor, kind: str) -> None:
    """What replaces data has pages of its own that ask first."""
    assert administrator.post("/activity/run-now", {"kind": kind}).status_code == 422
    with appliance.db.reading() as session:
        assert session.scalars(select(Run)).all() == []


def test_a_viewer_sees_and_cannot_act(appliance: Appliance, viewer: Visitor) -> None:
    """No buttons, and no way around them."""
    uid = add_run(appliance, state="running", finished_at=None)
    page = viewer.get("/activity").text
    assert "A backup is being made now." in page
    assert "run-now" not in page
    assert "/cancel" not in page
    assert viewer.post(f"/activity/{uid}/cancel").status_code == 403


def test_an_unknown_run_is_a_sentence(administrator: Visitor) -> None:
    """404 on its page and in its fragment."""
    assert administrator.get("/activity/none").status_code == 404
    assert "not known (any more)" in administrator.htmx("/activity/none/progress").text
