"""Settings → Advanced → Backups: every action by an administrator, in the audit log, and honest about what follows."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from framerr import tasks
from framerr.appliance import Appliance, build
from framerr.backups import folder, swap
from framerr.backups.create import create_backup
from framerr.backups.models import RETURNED, Backup
from framerr.core.clock import utcnow
from framerr.core.crypto import InstanceKey
from framerr.integrations import store as integrations
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.jobs.models import Run
from framerr.jobs.progress import Progress
from framerr.jobs.runner import Runner
from framerr.observability import audit, events
from framerr.settings import store
from framerr.web import create_app
from tests.factories import appliance_in
from tests.web.filled import add_run
from tests.web.people import PASSWORD, Visitor, set_up
from tests.web.test_uploads import Sender

PAGE = "/settings/advanced/backups"
SCHEDULE = {"frequency": "daily", "hour": "4", "weekday": "0", "max": "7"}


def make(appliance: Appliance, kind: str = "manual", now: datetime | None = None, note: str = "") -> Backup:
    return create_backup(
        appliance.db,
        appliance.paths,
        appliance.key,
        type=kind,  # type: ignore[arg-type]
        note=note,
        progress=Progress(),
        now=now or utcnow(),
    )


def do(appliance: Appliance) -> Run:
    """Carry out the one Run that waits."""
    with appliance.db.reading() as session:
        (run,) = queue.open_runs(session)
        uid = run.uid
    return Runner(appliance.db, tasks.table(appliance), on_outcome=tasks.on_outcome).run_here(uid)


def names(appliance: Appliance) -> list[str]:
    return sorted(path.name for path in appliance.paths.backups.iterdir() if not path.name.startswith("."))


def actions(appliance: Appliance) -> list[tuple[str, str]]:
    """Who did what, newest first, without signing in."""
    with appliance.db.reading() as session:
        told = [(entry.actor, entry.action) for entry in audit.recent(session)]
    return [one for one in told if one[1] not in {"account.signed_in", "setup.start-fresh"}]


def test_the_empty_page_says_what_will_be_here(administrator: Visitor) -> None:
    """One button makes the first one appear; the caution comes before anything is made (R-002-26)."""
    page = administrator.get(PAGE).text

    assert "There is no good backup yet. Next " in page
    assert "Create the first backup" in page
    assert "treat it like a password" in page


def test_a_backup_is_made_and_listed(administrator: Visitor, appliance: Appliance) -> None:
    """R-002-2, R-002-3, R-002-36: the button queues one Run; afterwards the first line is the answer."""
    assert administrator.post(f"{PAGE}/create").location == PAGE
    assert administrator.post(f"{PAGE}/create").location == PAGE
    waiting = administrator.get(PAGE).text
    assert "A backup was under way already." in waiting
    assert "Starts in a moment. Safe to close this page." in waiting
    do(appliance)

    page = administrator.get(PAGE).text
    words = page.replace("\xa0", " ")
    assert re.search(r"Last good backup today [\d:]+ [AP]M, verified, [\d.]+ KB\. Next ", words)
    assert "1 of 7 kept." in page
    assert "Keys readable" in page
    assert "treat it like a password" in page
    assert actions(appliance) == [("alice", "backup.requested")]


def test_a_download_is_the_file(administrator: Visitor, appliance: Appliance) -> None:
    """R-002-5: whole or in parts, told in the audit log once."""
    row = make(appliance)
    data = (appliance.paths.backups / row.name).read_bytes()

    whole = administrator.get(f"{PAGE}/{row.uid}/download")
    part = administrator.get(f"{PAGE}/{row.uid}/download", headers={"Range": "bytes=10-19"})

    assert whole.data == data
    assert whole.headers["Content-Disposition"] == f'attachment; filename="{row.name}"'
    assert (part.status_code, part.data) == (206, data[10:20])
    assert zipfile.ZipFile(io.BytesIO(whole.data)).testzip() is None
    assert actions(appliance) == [("alice", "backup.downloaded")]


@pytest.mark.parametrize(
    ("begin", "then", "told"),
    [
        ("bytes=0-", None, 1),
        ("bytes=0-9", "bytes=10-", 1),
        ("bytes=1-", "bytes=2-", 1),
        ("bytes=-100", None, 1),
        ("bytes=0-", "bytes=0-", 2),
        ("bytes=99999999-", None, 0),
    ],
)
def test_every_download_is_told(
    administrator: Visitor, appliance: Appliance, begin: str, then: str | None, told: int
) -> None:
    """R-002-26: who begins anew is told anew, whatever ranges are asked for; who continues is told once."""
    address = f"{PAGE}/{make(appliance).uid}/download"

    for wanted in (begin, then):
        if wanted is not None:
            administrator.get(address, headers={"Range": wanted})

    assert actions(appliance) == [("alice", "backup.downloaded")] * told


def test_what_sends_no_bytes_is_no_download(administrator: Visitor, appliance: Appliance) -> None:
    """HEAD and a file that the browser has already."""
    address = f"{PAGE}/{make(appliance).uid}/download"

    etag = administrator.client.head(address, base_url="http://framerr.test", buffered=True).headers["ETag"]
    assert administrator.get(address, headers={"If-None-Match": etag}).status_code == 304

    assert actions(appliance) == []


def test_verifying_reads_it_back(administrator: Visitor, appliance: Appliance) -> None:
    """What changed on the disk is found, said on the page, and never called good again."""
    row = make(appliance)
    path = appliance.paths.backups / row.name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)

    assert "Not checked yet" in administrator.get(PAGE).text
    assert administrator.post(f"{PAGE}/{row.uid}/verify").location == PAGE
    assert do(appliance).state == "failed"

    page = administrator.get(PAGE).text
    assert f"<bdi>{row.name}</bdi> did not pass its check." in page
    assert "Damaged" in page
    assert "There is no good backup yet." in page
    assert actions(appliance) == [("alice", "backup.verify_requested")]


def test_deleting_asks_first(administrator: Visitor, appliance: Appliance) -> None:
    """The question names the thing and what remains; looking deletes nothing."""
    first, second = make(appliance), make(appliance)

    question = administrator.get(f"{PAGE}/{second.uid}/delete").text
    assert second.name in question
    assert "1 other good backup remains, from today" in question.replace("\xa0", " ")
    assert "Keep it" in question
    assert len(names(appliance)) == 2

    assert administrator.post(f"{PAGE}/{second.uid}/delete").location == PAGE
    assert names(appliance) == [first.name]
    assert f"<bdi>{second.name}</bdi> is deleted." in administrator.get(PAGE).text
    assert actions(appliance) == [("alice", "backup.deleted")]


def test_deleting_the_last_good_one_says_so(administrator: Visitor, appliance: Appliance) -> None:
    row = make(appliance)

    assert "No other good backup remains." in administrator.get(f"{PAGE}/{row.uid}/delete").text
    administrator.post(f"{PAGE}/{row.uid}/delete")
    assert "There is no good backup yet." in administrator.get(PAGE).text


def test_what_is_deleted_twice_is_gone(administrator: Visitor, appliance: Appliance) -> None:
    row = make(appliance)
    administrator.post(f"{PAGE}/{row.uid}/delete")

    for path in ("delete", "verify", "unpin", "pin", "restore"):
        fields = {"password": PASSWORD, "note": "x"}
        assert administrator.post(f"{PAGE}/{row.uid}/{path}", fields).status_code == 404, path
    assert administrator.get(f"{PAGE}/{row.uid}/download").status_code == 404


def test_a_pinned_backup_is_kept_with_its_note(administrator: Visitor, appliance: Appliance) -> None:
    row = make(appliance)
    assert administrator.post(f"{PAGE}/{row.uid}/pin", {"note": "Before the move"}).location == PAGE

    page = administrator.get(PAGE).text
    assert "“<bdi>Before the move</bdi>”" in page
    assert "0 of 7 kept; the pinned one comes on top." in page
    assert administrator.post(f"{PAGE}/{row.uid}/pin", {"note": "x" * 201}).status_code == 422

    administrator.post(f"{PAGE}/{row.uid}/unpin")
    assert "1 of 7 kept." in administrator.get(PAGE).text
    assert actions(appliance) == [("alice", "backup.unpinned"), ("alice", "backup.pinned")]


def test_what_lies_in_the_folder_is_listed(administrator: Visitor, appliance: Appliance) -> None:
    """Copied in by hand: a backup counts, another file is named and left alone; removed by hand, it is gone."""
    row = make(appliance)
    data = (appliance.paths.backups / row.name).read_bytes()
    copy = appliance.paths.backups / "framerr-manual-2020-01-01T00-00-00Z.zip"
    copy.write_bytes(data)
    (appliance.paths.backups / "site-export.zip").write_bytes(b"not a backup")

    page = administrator.get(PAGE).text
    assert "3\xa0files" in page
    assert "Not a backup" in page
    assert "Not checked yet" in page
    assert "2 of 7 kept." in page
    copy.unlink()
    assert "2\xa0files" in administrator.get(PAGE).text


def test_the_schedule_is_saved_and_told(administrator: Visitor, appliance: Appliance) -> None:
    """R-002-6 to R-002-10: weekly on a Saturday at 11 PM, twelve kept."""
    changed = {"frequency": "weekly", "hour": "23", "weekday": "6", "max": "12"}

    assert administrator.post(f"{PAGE}/schedule", changed).location == PAGE

    page = administrator.get(PAGE).text
    assert "The schedule is saved. Next: " in page
    assert "11:00\xa0PM (Europe/Berlin)" in page
    with appliance.db.reading() as session:
        schedule = schedules.get(session, "backup")
        assert schedule is not None
        assert schedule.rule == Rule("weekly", 23, 6)
        assert store.read(session).max_backups == 12
    assert actions(appliance) == [("alice", "backup.schedule_changed")]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("max", "0", "Keep at least 1 and at most 30."),
        ("max", "31", "Keep at least 1 and at most 30."),
        ("max", "-3", "Keep at least 1 and at most 30."),
        ("max", "", "Keep at least 1 and at most 30."),
        ("max", "seven", "Keep at least 1 and at most 30."),
        ("hour", "24", "Choose an hour from 12:00 AM to 11:00 PM"),
        ("hour", "", "Choose an hour from 12:00 AM to 11:00 PM"),
        ("hour", "4.5", "Choose an hour from 12:00 AM to 11:00 PM"),
        ("frequency", "monthly", "Choose how often: Off, Daily or Weekly."),
        ("weekday", "7", "Choose a day from Sunday to Saturday"),
    ],
)
def test_a_schedule_that_is_none_changes_nothing(
    administrator: Visitor, appliance: Appliance, field: str, value: str, sentence: str
) -> None:
    """R-002-7 to R-002-10: refused beside its field, with what is allowed."""
    wanted = {"frequency": "weekly", "hour": "5", "weekday": "1", "max": "9", field: value}

    response = administrator.post(f"{PAGE}/schedule", wanted)

    assert response.status_code == 422
    assert sentence in response.text
    assert f'id="f-{field}-error"' in response.text
    with appliance.db.reading() as session:
        schedule = schedules.get(session, "backup")
        assert schedule is not None
        assert (schedule.rule, store.read(session).max_backups) == (Rule("daily", 4), 7)
    assert actions(appliance) == []


def shown_in(question: str) -> str:
    """The hidden field that binds an answer to what was shown."""
    found = re.search(r'name="shown" value="([^"]*)"', question)
    assert found is not None, question
    return found[1]


def test_keeping_fewer_asks_and_shows_which_go(administrator: Visitor, appliance: Appliance) -> None:
    """R-002-11: nothing is deleted by lowering the number until a person saw which, and said yes."""
    now = utcnow()
    kept = [make(appliance, "scheduled", now - timedelta(days=days)) for days in (4, 3, 2)]
    kept.append(make(appliance, "manual", now - timedelta(days=1)))

    question = administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "2"})
    assert question.status_code == 200
    assert "Keep 2, and delete 2\xa0older backups?" in question.text
    assert [name for name in (row.name for row in kept) if name in question.text] == [row.name for row in kept[:2]]
    assert question.text.count("Scheduled") == 2
    assert question.text.count("KB") == 2
    assert len(names(appliance)) == 4
    with appliance.db.reading() as session:
        assert store.read(session).max_backups == 7

    administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "2", "shown": shown_in(question.text)})
    assert names(appliance) == sorted(row.name for row in kept[2:])
    assert "2\xa0backups above the maximum deleted." in administrator.get(PAGE).text


def test_a_yes_is_for_the_backups_that_were_shown(administrator: Visitor, appliance: Appliance) -> None:
    """When others would go by now, it asks once more; nothing is saved and nothing goes."""
    now = utcnow()
    for days in (4, 3, 2):
        make(appliance, "scheduled", now - timedelta(days=days))
    shown = shown_in(administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "2"}).text)
    newer = make(appliance, "manual", now - timedelta(days=1))

    again = administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "2", "shown": shown})

    assert again.status_code == 200
    assert "The list has changed meanwhile: look at it once more." in again.text
    assert "delete 2\xa0older backups?" in again.text
    assert newer.name not in again.text
    assert len(names(appliance)) == 4
    for forged in ("1", "nothing", f"{shown},{newer.uid}"):
        assert administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "2", "shown": forged}).status_code == 200
    assert len(names(appliance)) == 4


def test_one_of_those_that_would_go_is_pinned_instead(administrator: Visitor, appliance: Appliance) -> None:
    """From the question: it stays, the question goes on with the rest, and ends when none is left."""
    now = utcnow()
    oldest, older, *_ = [make(appliance, "scheduled", now - timedelta(days=days)) for days in (4, 3, 2)]

    rest = administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "1", "pin": oldest.uid})
    assert "Keep 1, and delete 1\xa0older backup?" in rest.text
    assert "The list has changed" not in rest.text
    assert oldest.name not in rest.text
    done = administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "1", "pin": older.uid})

    assert done.location == PAGE
    assert len(names(appliance)) == 3
    with appliance.db.reading() as session:
        assert store.read(session).max_backups == 1
    told = [action for _, action in actions(appliance)]
    assert told == ["backup.schedule_changed", "backup.pinned", "backup.pinned"]
    assert administrator.post(f"{PAGE}/schedule", SCHEDULE | {"pin": "nothing"}).status_code == 404


def test_the_list_says_what_goes_next(administrator: Visitor, appliance: Appliance) -> None:
    """The foot names the one that is deleted when the next is proven."""
    now = utcnow()
    for days in range(7, 0, -1):
        make(appliance, "scheduled", now - timedelta(days=days))

    page = administrator.get(PAGE).text.replace("\xa0", " ")

    assert "7 of 7 kept." in page
    assert re.search(r"When the next backup is proven, <b>\w+ \d+ \w+ [^<]+</b> is deleted\.", page)


def test_a_large_deletion_waits_for_a_yes(administrator: Visitor, appliance: Appliance) -> None:
    """T33: the page says why nothing is deleted, and one button does it."""
    now = utcnow()
    for days in range(8, 0, -1):
        make(appliance, "scheduled", now - timedelta(days=days))
    with appliance.db.writing() as session:
        store.change(session, "backups.max", 2, now)

    page = administrator.get(PAGE).text
    assert "Old backups wait to be deleted." in page
    assert "6 of 8 backups would be deleted at once" in page
    administrator.post(f"{PAGE}/prune")
    assert len(names(appliance)) == 2
    assert actions(appliance) == [("alice", "backup.prune_confirmed")]


def test_a_failed_run_is_told_with_cause_and_next_step(administrator: Visitor, appliance: Appliance) -> None:
    """In red; and a retry that waits says when."""
    now = utcnow()
    with appliance.db.writing() as session:
        add_run(
            session, state="failed", error="The disk is full: needed 53 MB, 12 MB free. Free some space.", attempt=1
        )
        queue.enqueue(session, "backup", trigger="retry", not_before=now + timedelta(minutes=30), attempt=2, now=now)

    page = administrator.get(PAGE).text

    assert "seal-lost" in page
    assert "The disk is full: needed 53 MB, 12 MB free. Free some space." in page
    assert "It is tried again " in page
    assert "Create backup now" in page
    assert "Starts in a moment" not in page


def test_an_upload_goes_into_the_list(administrator: Visitor, appliance: Appliance, tmp_path: Path) -> None:
    """tus, then a Run that checks it; it is not restored by that."""
    with appliance_in(tmp_path / "elsewhere") as other:
        set_up(other)
        data = (other.paths.backups / make(other).name).read_bytes()
    sender = Sender(administrator, f"{PAGE}/upload")
    place = sender.begin(len(data), "from-the-other.zip")
    sender.piece(place, 0, data)
    uid = place.rpartition("/")[2]
    assert "<bdi>from-the-other.zip</bdi> is uploaded." in administrator.get(f"{PAGE}/upload").text

    assert administrator.post(f"{PAGE}/adopt", {"upload": uid}).location == PAGE
    assert do(appliance).state == "done"

    page = administrator.get(PAGE).text
    assert "From another instance, “<bdi>Studio server</bdi>”" in page
    assert len(names(appliance)) == 1
    assert "is uploaded." not in administrator.get(f"{PAGE}/upload").text
    assert actions(appliance) == [("alice", "backup.uploaded")]


def refuse(administrator: Visitor, appliance: Appliance, name: str = "photo.zip") -> str:
    """Send a picture and have it checked; the uid of the upload."""
    sender = Sender(administrator, f"{PAGE}/upload")
    place = sender.begin(9, name)
    sender.piece(place, 0, b"\x89PNG pict")
    uid = place.rpartition("/")[2]
    administrator.post(f"{PAGE}/adopt", {"upload": uid})
    assert do(appliance).state == "failed"
    return uid


def test_an_upload_that_is_no_backup_is_refused_in_a_sentence(administrator: Visitor, appliance: Appliance) -> None:
    """It says which file, and stays until it was read: one click takes it away."""
    refuse(administrator, appliance)

    page = administrator.get(PAGE).text
    assert "<bdi>photo.zip</bdi> was not added to the list." in page
    assert "This is a picture." in page
    assert names(appliance) == []
    dismiss = re.search(rf'action="({PAGE}/dismiss/[^"]+)"', page)
    assert dismiss is not None
    assert administrator.post(dismiss[1]).location == PAGE
    assert "was not added" not in administrator.get(PAGE).text


def test_a_refused_upload_is_not_offered_as_a_good_one(administrator: Visitor, appliance: Appliance) -> None:
    """The upload page says what is wrong with it, and removes it."""
    uid = refuse(administrator, appliance)

    page = administrator.get(f"{PAGE}/upload").text
    assert "<bdi>photo.zip</bdi> is no backup that can be used." in page
    assert "This is a picture." in page
    assert "Check it and add it" not in page
    assert administrator.post(f"{PAGE}/upload/{uid}/remove").location == f"{PAGE}/upload"
    assert "photo.zip" not in administrator.get(f"{PAGE}/upload").text
    assert list(appliance.paths.uploads.iterdir()) == []
    assert administrator.post(f"{PAGE}/upload/{uid}/remove").status_code == 404


def test_an_upload_that_is_being_checked_is_left_alone(administrator: Visitor, appliance: Appliance) -> None:
    sender = Sender(administrator, f"{PAGE}/upload")
    place = sender.begin(9, "photo.zip")
    sender.piece(place, 0, b"\x89PNG pict")
    uid = place.rpartition("/")[2]
    administrator.post(f"{PAGE}/adopt", {"upload": uid})

    assert "photo.zip" not in administrator.get(f"{PAGE}/upload").text
    assert administrator.post(f"{PAGE}/upload/{uid}/remove").status_code == 409
    assert do(appliance).error is not None


@pytest.mark.parametrize("uid", ["", "nothing", "../../data/framerr.db"])
def test_only_an_upload_is_adopted(administrator: Visitor, appliance: Appliance, uid: str) -> None:
    assert administrator.post(f"{PAGE}/adopt", {"upload": uid}).status_code == 404
    assert actions(appliance) == []


def test_half_an_upload_is_not_adopted(administrator: Visitor, appliance: Appliance) -> None:
    place = Sender(administrator, f"{PAGE}/upload").begin(9)

    assert administrator.post(f"{PAGE}/adopt", {"upload": place.rpartition("/")[2]}).status_code == 409


def test_a_restore_shows_what_is_inside_and_asks_for_the_password(administrator: Visitor, appliance: Appliance) -> None:
    """R-002-38: the page says that a safety backup comes first; a wrong password begins nothing."""
    row = make(appliance)
    address = f"{PAGE}/{row.uid}/restore"

    assert "Reading and checking" in administrator.get(address).text
    assert administrator.htmx(address).headers["HX-Redirect"] == address
    page = administrator.get(address).text
    assert "A good backup of “<bdi>Studio server</bdi>”, made today" in page.replace("\xa0", " ")
    assert "A safety backup of this instance is made first." in page
    for password, sentence in (("", "Type your password."), ("wrong", "This is not your password. Try again.")):
        response = administrator.post(address, {"password": password})
        assert response.status_code == 422
        assert sentence in response.text
    with appliance.db.reading() as session:
        assert queue.open_runs(session) == []


def test_a_restore_is_prepared_and_followed(administrator: Visitor, appliance: Appliance) -> None:
    """Up to the restart; then the page of the old state is not there any more."""
    row = make(appliance)

    waiting = administrator.post(f"{PAGE}/{row.uid}/restore", {"password": PASSWORD}).location
    assert waiting.startswith(f"{PAGE}/restoring/")
    assert "Unpacking the archive, every file checked" in administrator.get(waiting).text
    assert do(appliance).state == "done"

    assert swap.state(appliance.paths) == "pending"
    assert "Framerr starts again" in administrator.htmx(waiting).text
    assert ("alice", "restore.requested") in actions(appliance)


def test_a_newer_backup_and_another_instance_are_pointed_out(
    administrator: Visitor, appliance: Appliance, tmp_path: Path
) -> None:
    """What a restore would lose is said before it is done."""
    old = make(appliance, now=utcnow() - timedelta(days=2))
    make(appliance)

    page = administrator.get(f"{PAGE}/{old.uid}/restore?look=1").text

    assert "There is a newer good backup here, from today" in page.replace("\xa0", " ")


def test_after_a_restore_one_is_told_and_signs_in(app: Flask, appliance: Appliance, stranger: Visitor) -> None:
    """R-002-31: on trial it is said that it is restored; a state that came back says why; else nothing is claimed."""
    assert stranger.get(f"{PAGE}/restored").location == "/login"
    assert "Restored" not in stranger.get("/login").text

    appliance.paths.restore_trial.write_bytes(b"{}")
    stranger.get(f"{PAGE}/restored")
    assert "Restored. Sign in with an account from the backup." in stranger.get("/login").text

    appliance.paths.restore_trial.unlink()
    with appliance.db.writing() as session:
        events.record(session, RETURNED, level="error", text="The restore of x did not come up.", now=utcnow())
    stranger.get(f"{PAGE}/restored")
    assert "The restore of x did not come up." in stranger.get("/login").text


def test_only_administrators_change_anything(
    app: Flask, appliance: Appliance, editor: Visitor, viewer: Visitor
) -> None:
    row = make(appliance)
    paths = ["", "/upload", f"/{row.uid}/download", f"/{row.uid}/delete", f"/{row.uid}/restore", f"/{row.uid}/pin"]
    for visitor in (editor, viewer):
        for path in paths:
            assert visitor.get(f"{PAGE}{path}").status_code == 403, path
        for path in ("/create", "/schedule", "/prune", "/adopt", f"/{row.uid}/verify", f"/{row.uid}/unpin"):
            assert visitor.post(f"{PAGE}{path}").status_code == 403, path
    assert names(appliance) == [row.name]


def test_the_folder_that_cannot_be_seen_is_told(administrator: Visitor, appliance: Appliance) -> None:
    """A NAS that is away: what is known stays on the page, and nothing claims to be safe."""
    make(appliance)
    appliance.paths.backups.rename(appliance.paths.backups.with_name("away"))

    page = administrator.get(PAGE).text

    assert "Backups cannot be seen" in page
    assert "seal-lost" in page


def test_older_ones_are_folded(administrator: Visitor, appliance: Appliance) -> None:
    """Ten at first; the rest is one click away."""
    administrator.post(f"{PAGE}/schedule", SCHEDULE | {"max": "30"})
    now = utcnow()
    for days in range(12, 0, -1):
        make(appliance, "scheduled", now - timedelta(days=days))

    page = administrator.get(PAGE).text
    assert "Show 2 older" in page
    assert page.count('id="backup-') == 10
    assert administrator.get(f"{PAGE}?all=1").text.count('id="backup-') == 12


def test_the_page_works_behind_a_sub_path(tmp_path: Path) -> None:
    """FRAMERR_BASE_PATH: forms, downloads and the upload's address follow it."""
    with appliance_in(tmp_path, FRAMERR_BASE_PATH="/framerr") as appliance:
        set_up(appliance)
        app = create_app(appliance)
        visitor = Visitor(app, base_url="http://framerr.test/framerr")
        page = visitor.get("/login")
        assert page.status_code == 200
        visitor.sign_in("alice", PASSWORD)
        row = make(appliance)
        listed = visitor.get(PAGE).text
        assert f'href="/framerr{PAGE}/{row.uid}/download"' in listed
        assert 'data-upload="/framerr/api/1/uploads"' in visitor.get(f"{PAGE}/upload").text


@pytest.fixture
def locked(appliance: Appliance) -> Iterator[Visitor]:
    """alice, in front of her instance with one backup, after it was started with another key."""
    with appliance.db.writing() as session:
        credential = {"api_key": "a key"}
        integrations.add(
            session, appliance.key, kind="webhook", name="Hook", config={}, credential=credential, now=utcnow()
        )
    make(appliance)
    again = build(appliance.settings, appliance.paths, InstanceKey.new(), utcnow())
    yield Visitor(create_app(again)).sign_in("alice", PASSWORD)
    again.db.close()


def test_while_the_key_is_missing_nothing_is_promised(locked: Visitor) -> None:
    """What cannot run is disabled and says why; the schedule promises nothing."""
    page = locked.get(PAGE).text

    assert "No backups are made while the key is missing." in page
    assert re.search(r"<button[^>]* disabled[^>]*>(<svg.*?</svg>)?Create backup<", page, re.DOTALL)
    assert "Next: " not in page
    assert "tomorrow" not in page
    assert "/verify" not in page
    assert f'href="{PAGE}/upload"' not in page
    assert "No backup is made while the key is missing." in locked.htmx(f"{PAGE}/next?{urlencode(SCHEDULE)}").text


def test_while_the_key_is_missing_nothing_is_queued(locked: Visitor, appliance: Appliance) -> None:
    """Refused like everywhere else, also from a page that was loaded before."""
    with appliance.db.reading() as session:
        (row,) = folder.present(session)
    for path in ("create", f"{row.uid}/verify", "adopt"):
        response = locked.post(f"{PAGE}/{path}", {"upload": "x"})
        assert response.status_code == 409, path
        assert "key" in response.text, path
    with appliance.db.reading() as session:
        assert queue.open_runs(session) == []
    assert actions(appliance) == []
