"""The wizard: the code, Start Fresh, Restore from Backup; once, by one person, and never again."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from framerr import tasks
from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.backups import swap
from framerr.backups.create import create_backup
from framerr.backups.models import RETURNED
from framerr.core.clock import utcnow
from framerr.jobs import queue, schedules
from framerr.jobs.calendar import Rule
from framerr.jobs.progress import Progress
from framerr.jobs.runner import Runner
from framerr.observability import audit, events
from framerr.settings import store
from framerr.web import create_app
from tests.factories import appliance_in
from tests.web.people import PASSWORD, Visitor, set_up
from tests.web.test_uploads import Sender

CODE = "ABCD-2345"
ACCOUNT = {"username": "olga", "display_name": "Olga", "password": PASSWORD}
INSTANCE = {"instance.name": "Harbor", "instance.time_zone": "Europe/Berlin"}
DAILY = {"frequency": "daily", "hour": "4", "weekday": "0", "max": "7"}


@pytest.fixture
def fresh(empty: Appliance) -> Flask:
    """The pages of an instance that nobody set up and that asks for no code."""
    return create_app(empty)


@pytest.fixture
def visitor(fresh: Flask) -> Visitor:
    found = Visitor(fresh)
    found.get("/setup/start")
    return found


def answer(visitor: Visitor, **schedule: str) -> TestResponse:
    """Start Fresh, page by page, up to the last answer."""
    assert visitor.post("/setup/account", ACCOUNT).location == "/setup/instance"
    assert visitor.post("/setup/instance", INSTANCE).location == "/setup/schedule"
    return visitor.post("/setup/schedule", DAILY | schedule)


def user_names(appliance: Appliance) -> list[str]:
    with appliance.db.reading() as session:
        found = [users.find_by_username(session, name) for name in ("olga", "otto", "alice")]
        return [user.username for user in found if user is not None]


def make_archive(tmp_path: Path, name: str = "elsewhere", now: datetime | None = None) -> Path:
    """A backup of another instance, of alice's."""
    with appliance_in(tmp_path / name) as other:
        set_up(other)
        made = create_backup(other.db, other.paths, other.key, type="manual", progress=Progress(), now=now or utcnow())
        return other.paths.backups / made.name


def test_start_fresh_makes_an_administrator_and_a_schedule(visitor: Visitor, empty: Appliance) -> None:
    """R-002-29: account, name and time zone, daily at 4 AM with seven kept; then one is inside."""
    response = answer(visitor)

    assert (response.status_code, response.location) == (303, "/")
    page = visitor.get("/").text
    assert "<bdi>Harbor</bdi> is set up. The first backup is t" in page
    with empty.db.reading() as session:
        values = store.read(session)
        schedule = schedules.get(session, "backup")
        entry = audit.recent(session)[-1]
        assert (values.instance_name, values.time_zone, values.max_backups) == ("Harbor", "Europe/Berlin", 7)
        assert schedule is not None
        assert schedule.rule == Rule("daily", 4)
        assert (entry.actor, entry.action) == ("olga", "setup.start-fresh")
    assert user_names(empty) == ["olga"]


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        ({}, r"The first backup is (today|tomorrow) at 4:00 AM\."),
        (
            {"frequency": "weekly", "hour": "23", "weekday": str((utcnow().weekday() + 4) % 7)},
            r"The first backup is on \w{3} \d+ \w{3} at 11:00 PM\.",
        ),
        ({"frequency": "off"}, r"Scheduled backups are off: create one by hand whenever something changed\."),
    ],
)
def test_the_end_says_when_the_first_backup_is_made(visitor: Visitor, schedule: dict[str, str], sentence: str) -> None:
    """A sentence, not a label."""
    answer(visitor, **schedule)

    page = visitor.get("/").text.replace("\u00a0", " ")

    assert re.search(f"<bdi>Harbor</bdi> is set up\\. {sentence}", page)


def test_exactly_two_ways_are_offered(visitor: Visitor) -> None:
    """R-002-28: Start Fresh and Restore from Backup."""
    page = visitor.get("/setup/start").text

    assert page.count('class="choice"') == 2
    assert "Start Fresh" in page
    assert "Restore from Backup" in page


def test_each_page_waits_for_the_ones_before(visitor: Visitor) -> None:
    """A page out of turn leads to the one whose turn it is; Back leads to pages with what was typed."""
    assert visitor.get("/setup/schedule").location == "/setup/account"
    assert visitor.post("/setup/schedule", DAILY).location == "/setup/account"
    visitor.post("/setup/account", ACCOUNT)
    assert visitor.get("/setup/schedule").location == "/setup/instance"
    visitor.post("/setup/instance", INSTANCE)

    assert 'value="olga"' in visitor.get("/setup/account").text
    assert 'value="Harbor"' in visitor.get("/setup/instance").text
    assert visitor.get("/setup/schedule").status_code == 200


def test_the_password_is_in_no_cookie_and_on_no_page(visitor: Visitor) -> None:
    """It stays in the memory of the process until the end; an empty field keeps it."""
    visitor.post("/setup/account", ACCOUNT)
    cookie = visitor.client.get_cookie(str(visitor.client.application.config["SESSION_COOKIE_NAME"]), "framerr.test")
    assert cookie is not None
    page = visitor.get("/setup/account").text
    assert PASSWORD not in page
    assert "Leave it empty to keep" in page
    assert len(cookie.value) < 400

    assert visitor.post("/setup/account", ACCOUNT | {"password": ""}).location == "/setup/instance"


def test_a_restart_forgets_the_answers_and_not_the_code(tmp_path: Path) -> None:
    """What was typed was in memory only; the proof of the code is in the cookie."""
    with appliance_in(tmp_path, FRAMERR_SETUP_CODE=CODE) as appliance:
        before = Visitor(create_app(appliance))
        before.get("/setup/")
        before.post("/setup/", {"code": CODE})
        before.post("/setup/account", ACCOUNT)
        after = Visitor(create_app(appliance))
        after.client._cookies = before.client._cookies

        assert after.get("/setup/instance").location == "/setup/account"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("username", "", "The user name is missing"),
        ("username", "Olga Näher", "A user name has 1 to 64 letters"),
        ("password", "", "Choose a password."),
        ("password", "short", "use at least 10"),
    ],
)
def test_what_is_wrong_with_the_account_is_said_at_its_field(
    visitor: Visitor, field: str, value: str, sentence: str
) -> None:
    response = visitor.post("/setup/account", ACCOUNT | {field: value})

    assert response.status_code == 422
    assert sentence in response.text
    assert f'aria-describedby="f-{field}-error' in response.text
    assert PASSWORD not in response.text


@pytest.mark.parametrize(
    ("field", "value"), [("instance.name", ""), ("instance.name", "x" * 61), ("instance.time_zone", "Mars/Olympus")]
)
def test_what_is_wrong_with_the_instance_is_said_at_its_field(visitor: Visitor, field: str, value: str) -> None:
    visitor.post("/setup/account", ACCOUNT)

    response = visitor.post("/setup/instance", INSTANCE | {field: value})

    assert response.status_code == 422
    assert f'id="f-{field}-error"' in response.text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("max", "0", "Keep at least 1 and at most 30."),
        ("max", "31", "Keep at least 1 and at most 30."),
        ("max", "-1", "Keep at least 1 and at most 30."),
        ("max", "", "Keep at least 1 and at most 30."),
        ("hour", "24", "Choose an hour from 12:00 AM to 11:00 PM"),
        ("frequency", "hourly", "Choose how often"),
    ],
)
def test_a_schedule_that_is_none_makes_no_instance(
    visitor: Visitor, empty: Appliance, field: str, value: str, sentence: str
) -> None:
    """R-002-7 to R-002-10, at the last step: nothing is written."""
    response = answer(visitor, **{field: value})

    assert response.status_code == 422
    assert sentence in response.text
    assert user_names(empty) == []


def test_the_next_backup_is_told_while_choosing(visitor: Visitor) -> None:
    visitor.post("/setup/account", ACCOUNT)
    visitor.post("/setup/instance", INSTANCE)

    weekly = visitor.htmx("/setup/next-backup?frequency=weekly&hour=23&weekday=6&max=7").text
    off = visitor.htmx("/setup/next-backup?frequency=off&hour=23&weekday=6&max=7").text

    assert "Saturday" in weekly
    assert "11:00\u00a0PM (Europe/Berlin)" in weekly
    assert "No backup is made by itself." in off


def test_the_time_zone_is_guessed(tmp_path: Path) -> None:
    """TZ first; without it, the browser's, which the page asks its script for."""
    for env, expected in ({"TZ": "America/New_York"}, True), ({}, False):
        with appliance_in(tmp_path / str(expected), **env) as appliance:
            visitor = Visitor(create_app(appliance))
            visitor.get("/setup/start")
            visitor.post("/setup/account", ACCOUNT)
            page = visitor.get("/setup/instance").text
            assert ('<option value="America/New_York" selected>' in page) is expected
            assert ("data-guess-timezone" in page) is not expected


def test_the_code_is_asked_for_first(tmp_path: Path) -> None:
    """Nothing of the wizard is reached without it, it is never in an address, and its case and dash do not matter."""
    with appliance_in(tmp_path, FRAMERR_SETUP_CODE=CODE) as appliance:
        visitor = Visitor(create_app(appliance))
        visitor.get("/setup/")
        for path in ("start", "account", "instance", "schedule", "restore", "restore/backup/x", "restoring/x"):
            assert visitor.get(f"/setup/{path}").location == "/setup/", path
        assert visitor.post("/setup/account", ACCOUNT).location == "/setup/"
        assert visitor.get(f"/setup/?code={CODE}").status_code == 200

        wrong = visitor.post("/setup/", {"code": "AAAA-2222"})
        right = visitor.post("/setup/", {"code": "abcd 2345"})

        assert wrong.status_code == 422
        assert "This is not the setup code." in wrong.text
        assert right.location == "/setup/start"
        assert visitor.get("/setup/").location == "/setup/start"
        assert "this browser gave the setup code" in visitor.get("/setup/?back=1").text


def test_five_tries_a_minute(tmp_path: Path) -> None:
    """The sixth is not looked at, even when it is right, and says when to come back."""
    with appliance_in(tmp_path, FRAMERR_SETUP_CODE=CODE) as appliance:
        app = create_app(appliance)
        for _ in range(5):
            guesser = Visitor(app)
            guesser.get("/setup/")
            assert guesser.post("/setup/", {"code": "AAAA-2222"}).status_code == 422
        response = guesser.post("/setup/", {"code": CODE})

    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert "Wait a minute" in response.text


def test_when_requests_race_one_person_gets_the_instance(fresh: Flask, empty: Appliance) -> None:
    """However many finish at once, there is one administrator; the others are led to the login."""
    visitors = [Visitor(fresh) for _ in range(6)]
    for visitor in visitors:
        visitor.get("/setup/start")
        visitor.post("/setup/account", ACCOUNT)
        visitor.post("/setup/instance", INSTANCE)
    answers: list[TestResponse] = []

    def finish(visitor: Visitor) -> None:
        answers.append(visitor.post("/setup/schedule", DAILY))

    threads = [threading.Thread(target=finish, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(answer.location == "/" for answer in answers if answer.status_code == 303) == 1
    assert all(answer.location in {"/", "/login"} for answer in answers)
    with empty.db.reading() as session:
        assert users.count_users(session) == 1


def test_nothing_of_the_wizard_is_left_afterwards(visitor: Visitor, fresh: Flask, empty: Appliance) -> None:
    """It cannot be reached, and requests that were prepared before cannot be replayed."""
    late = Visitor(fresh)
    late.get("/setup/start")
    late.post("/setup/account", ACCOUNT | {"username": "otto"})
    late.post("/setup/instance", INSTANCE)
    answer(visitor)

    assert late.post("/setup/schedule", DAILY).location == "/login"
    assert "This instance is set up already. Sign in." in late.get("/login").text
    assert late.get("/setup/start").location == "/login"
    assert visitor.get("/setup/schedule").location == "/"
    assert visitor.post("/setup/schedule", DAILY).location == "/"
    for path in ("/setup/", "/setup/account", "/setup/restore/backup/x", "/setup/restoring/x/cancel"):
        assert late.post(path, {}).location == "/login", path
    as_program = late.post("/setup/schedule", DAILY, headers={"Accept": "application/json"})
    assert as_program.status_code == 404
    assert late.htmx("/setup/next-backup").status_code == 404
    assert user_names(empty) == ["olga"]


def test_backups_in_the_folder_are_found(tmp_path: Path) -> None:
    """Copied into /config/backups, they are offered: newest first, and nothing that is no backup."""
    archive = make_archive(tmp_path)
    with appliance_in(tmp_path) as appliance:
        (appliance.paths.backups / archive.name).write_bytes(archive.read_bytes())
        (appliance.paths.backups / "notes.zip").write_bytes(b"no backup")
        visitor = Visitor(create_app(appliance))

        choice = visitor.get("/setup/start").text
        page = visitor.get("/setup/restore").text

    assert "1\u00a0backup found here, made today" in choice
    assert archive.name in page
    assert "Studio server" in page
    assert "notes.zip" not in page


@pytest.mark.parametrize(("env", "told"), [({"TZ": "Europe/Berlin"}, "1:01 PM"), ({}, "12:01 PM")])
def test_times_name_their_zone_before_there_is_a_setting(tmp_path: Path, env: dict[str, str], told: str) -> None:
    """The zone of TZ, else UTC; whichever it is, a time in the wizard says so."""
    archive = make_archive(tmp_path, now=datetime(2020, 1, 10, 12, 1, tzinfo=UTC))
    zone = env.get("TZ", "UTC")
    with appliance_in(tmp_path, **env) as appliance:
        (appliance.paths.backups / archive.name).write_bytes(archive.read_bytes())
        visitor = Visitor(create_app(appliance))

        choice = visitor.get("/setup/start").text.replace("\u00a0", " ")
        page = visitor.get("/setup/restore").text.replace("\u00a0", " ")
        uid = page.split('href="/setup/restore/backup/')[1].split('"')[0]
        inside = visitor.get(f"/setup/restore/backup/{uid}?look=1").text.replace("\u00a0", " ")

    assert f"1 backup found here, made 10 Jan 2020 {told} ({zone})" in choice
    assert f"10 Jan 2020 {told}" in page
    assert f"Times are in {zone}." in page
    assert f"made 10 Jan 2020 {told} ({zone})" in inside


def inspected(visitor: Visitor, address: str) -> str:
    """The page of an archive, read while one waits, as without JavaScript."""
    return visitor.get(f"{address}?look=1").text


def test_an_uploaded_backup_is_looked_into_and_restored(tmp_path: Path) -> None:
    """R-002-30, R-002-31: uploaded in pieces, shown, prepared by a Run, and the restart is asked for."""
    archive = make_archive(tmp_path)
    data = archive.read_bytes()
    with appliance_in(tmp_path) as appliance:
        visitor = Visitor(create_app(appliance))
        sender = Sender(visitor)
        place = sender.begin(len(data), archive.name)
        assert visitor.get(f"/setup/restore/upload/{place.rpartition('/')[2]}").status_code == 409
        sender.piece(place, 0, data)
        address = f"/setup/restore/upload/{place.rpartition('/')[2]}"
        assert "is uploaded." in visitor.get("/setup/restore").text

        page = inspected(visitor, address)
        assert "A good backup of “<bdi>Studio server</bdi>”, made today" in page
        assert archive.name in page
        assert swap.state(appliance.paths) is None
        waiting = visitor.post(address, {}).location
        assert "Unpacking the archive, every file checked" in visitor.get(waiting).text
        for path in ("/setup/start", "/setup/account", address):
            assert visitor.get(path).location == waiting, path
        Runner(appliance.db, tasks.table(appliance)).run_here(waiting.rpartition("/")[2])

        assert swap.state(appliance.paths) == "pending"
        assert appliance.lifecycle.restart_reason is not None
        assert "Framerr starts again" in visitor.htmx(waiting).text
        with appliance.db.reading() as session:
            assert [entry.action for entry in audit.recent(session)] == ["restore.requested"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n", "This is a picture."),
        (b"<html>Not found</html>", "perhaps an error page saved instead of the download"),
        (b"\0" * 5000, "a file of zeros"),
        (b"PK\x03\x04 and then nothing", ""),
        (b"Rar! no", "a RAR archive"),
    ],
)
def test_a_hostile_upload_gets_a_sentence_and_changes_nothing(
    visitor: Visitor, empty: Appliance, data: bytes, sentence: str
) -> None:
    sender = Sender(visitor)
    place = sender.begin(len(data), "../../evil\r\n.zip")
    sender.piece(place, 0, data)
    address = f"/setup/restore/upload/{place.rpartition('/')[2]}"

    page = inspected(visitor, address)

    assert "This cannot be restored" in page
    assert "Nothing was changed." in page
    assert sentence in page
    assert "Restore this backup" not in page
    assert visitor.htmx(address).headers["HX-Redirect"] == address
    waiting = visitor.post(address, {}).location
    run = Runner(empty.db, tasks.table(empty)).run_here(waiting.rpartition("/")[2])
    assert run.state == "failed"
    told = visitor.get(waiting).text
    assert "The restore did not work out." in told
    assert "Choose another backup" in told
    assert swap.state(empty.paths) is None
    assert user_names(empty) == []
    assert visitor.get("/setup/account").status_code == 200


def test_a_refused_upload_is_not_offered_as_a_good_one(visitor: Visitor, empty: Appliance) -> None:
    """Back on the page of files it is there with its sentence, and one click removes it."""
    sender = Sender(visitor)
    place = sender.begin(8, "holiday.jpg")
    sender.piece(place, 0, b"\x89PNG\r\n\x1a\n")
    uid = place.rpartition("/")[2]
    inspected(visitor, f"/setup/restore/upload/{uid}")

    page = visitor.get("/setup/restore").text
    assert "<bdi>holiday.jpg</bdi> is no backup that can be used." in page
    assert "This is a picture." in page
    assert "See what is inside" not in page
    assert visitor.post(f"/setup/restore/upload/{uid}/remove").location == "/setup/restore"
    assert "holiday.jpg" not in visitor.get("/setup/restore").text
    assert list(empty.paths.uploads.iterdir()) == []


def test_a_restore_names_the_file_that_was_sent(tmp_path: Path) -> None:
    """To whoever looks at the Run, not the random name under which an upload lies here."""
    archive = make_archive(tmp_path)
    data = archive.read_bytes()
    with appliance_in(tmp_path) as appliance:
        visitor = Visitor(create_app(appliance))
        sender = Sender(visitor)
        place = sender.begin(len(data), "from-the-old-server.zip")
        sender.piece(place, 0, data)

        waiting = visitor.post(f"/setup/restore/upload/{place.rpartition('/')[2]}").location

        with appliance.db.reading() as session:
            assert queue.get(session, waiting.rpartition("/")[2]).params["name"] == "from-the-old-server.zip"
            assert audit.recent(session)[0].subject == "from-the-old-server.zip"


def test_a_restore_can_be_cancelled(tmp_path: Path) -> None:
    """Before it begins, and then the wizard goes on."""
    archive = make_archive(tmp_path)
    with appliance_in(tmp_path) as appliance:
        (appliance.paths.backups / archive.name).write_bytes(archive.read_bytes())
        visitor = Visitor(create_app(appliance))
        page = visitor.get("/setup/restore").text
        address = page.split('href="/setup/restore/backup/')[1].split('"')[0]
        waiting = visitor.post(f"/setup/restore/backup/{address}", {}).location

        assert visitor.post(f"{waiting}/cancel", {}).location == waiting
        assert "Cancelled before it started." in visitor.get(waiting).text
        assert visitor.get("/setup/start").status_code == 200


def test_asking_twice_restores_once(tmp_path: Path) -> None:
    archive = make_archive(tmp_path)
    with appliance_in(tmp_path) as appliance:
        (appliance.paths.backups / archive.name).write_bytes(archive.read_bytes())
        app = create_app(appliance)
        first, second = Visitor(app), Visitor(app)
        uid = first.get("/setup/restore").text.split('href="/setup/restore/backup/')[1].split('"')[0]
        second.get("/setup/restore")

        one = first.post(f"/setup/restore/backup/{uid}", {}).location
        other = second.post(f"/setup/restore/backup/{uid}", {}).location

        assert one == other
        with appliance.db.reading() as session:
            assert len(queue.open_runs(session)) == 1


def test_only_what_exists_is_looked_into(visitor: Visitor) -> None:
    """No path, no word, no stranger's file becomes a file name."""
    for source, uid in (("backup", "nothing"), ("upload", "nothing"), ("folder", "nothing"), ("upload", "..%2f..%2fx")):
        assert visitor.get(f"/setup/restore/{source}/{uid}").status_code == 404
        assert visitor.post(f"/setup/restore/{source}/{uid}", {}).status_code == 404


def test_a_restored_state_that_gave_way_is_told(visitor: Visitor, empty: Appliance) -> None:
    """The wizard of the state that came back says why it is there."""
    with empty.db.writing() as session:
        events.record(session, RETURNED, level="error", text="The restore of x did not come up.", now=utcnow())

    for path in ("/setup/start", "/setup/restore"):
        assert "The restore of x did not come up." in visitor.get(path).text
