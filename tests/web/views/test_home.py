"""The dashboard, on an empty and on a filled instance."""

from __future__ import annotations

from datetime import timedelta

from framerr.appliance import Appliance
from framerr.backups.create import create_backup
from framerr.core.clock import utcnow
from framerr.integrations import store as integrations
from framerr.jobs import queue
from framerr.jobs.models import Run
from framerr.jobs.progress import Progress
from framerr.observability import events
from tests.web.people import Visitor


def test_before_the_first_backup_nothing_is_called_safe(administrator: Visitor) -> None:
    """The answer is not yes, and the button is there."""
    page = administrator.get("/").text
    assert "Not yet: there is no backup of this appliance." in page
    assert 'name="kind" value="backup"' in page
    assert "set up Studio server" in page


def test_a_proven_backup_is_the_answer(appliance: Appliance, administrator: Visitor) -> None:
    """Its time, its size, and the next one."""
    create_backup(appliance.db, appliance.paths, appliance.key, type="manual", progress=Progress(), now=utcnow())
    page = administrator.get("/").text
    assert "Yes: the last good backup is from today" in page
    assert "verified" in page
    assert "1 of 7 kept" in page


def test_a_file_removed_by_hand_is_noticed_without_a_restart(appliance: Appliance, administrator: Visitor) -> None:
    """The folder is the truth."""
    made = create_backup(appliance.db, appliance.paths, appliance.key, type="manual", progress=Progress(), now=utcnow())
    administrator.get("/")
    (appliance.paths.backups / made.name).unlink()
    assert "there is no backup of this appliance" in administrator.get("/").text


def test_a_failure_is_told_with_its_reason(appliance: Appliance, administrator: Visitor) -> None:
    """And what is good meanwhile."""
    now = utcnow()
    with appliance.db.writing() as session:
        session.add(
            Run(
                kind="backup",
                trigger="schedule",
                state="failed",
                created_at=now,
                started_at=now,
                finished_at=now + timedelta(seconds=2),
                error="The disk is full: needed 53 MB, 12 MB free.",
            )
        )
    page = administrator.get("/").text
    assert "No: the backup of today" in page
    assert "The disk is full: needed 53 MB, 12 MB free. There is no good one yet." in page


def test_a_folder_that_is_away_is_said(appliance: Appliance, administrator: Visitor) -> None:
    """The rest of the page is there."""
    appliance.paths.backups.rmdir()
    page = administrator.get("/").text
    assert "Backups cannot be seen" in page
    assert "Lately" in page


def test_what_happened_lately_and_what_runs_is_shown(appliance: Appliance, administrator: Visitor) -> None:
    """Newest first, words escaped, connected services with their state."""
    with appliance.db.writing() as session:
        events.record(session, "backup.made", text="Backup <made>", now=utcnow())
        queue.enqueue(session, "housekeeping", trigger="manual", requested_by="alice", now=utcnow())
        integrations.add(
            session,
            appliance.key,
            kind="framer-site",
            name="Harbor Supply",
            config={},
            credential={"api_key": "s3cret"},
            now=utcnow(),
        )
    page = administrator.get("/").text
    assert "Backup &lt;made&gt;" in page
    assert "Housekeeping" in page
    assert "Harbor Supply" in page
    assert "Not checked yet" in page
    assert "s3cret" not in page


def test_a_viewer_gets_the_answer_without_the_buttons(viewer: Visitor) -> None:
    """Reading is for everybody with an account."""
    page = viewer.get("/").text
    assert "Is everything safe?" in page
    assert "run-now" not in page
    assert "/settings/advanced/backups" not in page
