"""Signing in and out, and what the cookie is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from framerr.accounts.models import AccountSession, User
from framerr.appliance import Appliance
from framerr.core.clock import utcnow
from framerr.observability import audit, events
from framerr.settings import icons as stored_icons
from framerr.web import create_app
from framerr.web.auth import local_path
from tests.factories import appliance_in
from tests.pictures import picture
from tests.web.people import PASSWORD, Visitor, set_up


def test_signing_in_leads_to_the_dashboard_and_is_in_the_audit_log(appliance: Appliance, stranger: Visitor) -> None:
    """The right password opens the dashboard."""
    response = stranger.post("/login", {"username": "ALICE", "password": PASSWORD})
    assert (response.status_code, response.location) == (303, "/")
    assert "Is everything safe?" in stranger.get("/").text
    with appliance.db.reading() as session:
        newest = audit.recent(session)[0]
        assert (newest.actor, newest.action, newest.address) == ("alice", "account.signed_in", "203.0.113.7")


def test_a_wrong_password_keeps_the_name_and_tells_nothing(stranger: Visitor) -> None:
    """One sentence for a wrong password and for a name nobody has; what was typed stays, the password does not."""
    wrong = stranger.post("/login", {"username": "alice", "password": "not this one"})
    unknown = stranger.post("/login", {"username": "nobody", "password": "not this one"})
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    sentence = "The user name or the password is not right."
    assert sentence in wrong.text
    assert sentence in unknown.text
    assert 'value="alice"' in wrong.text
    assert "not this one" not in wrong.text


def test_tries_in_a_row_have_to_wait_and_say_how_long(stranger: Visitor) -> None:
    """The throttled sentence, 429 and Retry-After."""
    answers = [stranger.post("/login", {"username": "alice", "password": f"wrong {n}"}) for n in range(5)]
    assert [answer.status_code for answer in answers][:4] == [422] * 4
    assert answers[4].status_code == 429
    assert int(answers[4].headers["Retry-After"]) >= 1


def test_that_tries_have_to_wait_is_told_once(app: Flask, appliance: Appliance, stranger: Visitor) -> None:
    """An event for people, one an hour for each network and a few in all, without the name that was typed."""
    for _ in range(7):
        stranger.post("/login", {"username": "hunter2 hunter2", "password": "wrong"})
    with appliance.db.reading() as session:
        (event,) = events.recent(session, kind="sign-in")
    assert (event.kind, event.level, event.subject) == ("sign-in.slowed", "warn", "203.0.113.7")
    assert event.text == "Too many wrong passwords came from 203.0.113.7. Each further try from there has to wait."

    for number in range(8):
        other = Visitor(app, address=f"198.51.100.{number}")
        for _ in range(5):
            other.post("/login", {"username": "alice", "password": "wrong"})
    with appliance.db.reading() as session:
        assert len(events.recent(session, kind="sign-in")) == 5


def test_who_confirms_with_wrong_passwords_is_told_of_too(appliance: Appliance, administrator: Visitor) -> None:
    wanted = {"current": "wrong", "password": "another pass phrase", "again": "another pass phrase"}
    answers = [administrator.post("/settings/account/security", wanted) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [429]
    with appliance.db.reading() as session:
        assert len(events.recent(session, kind="sign-in.slowed")) == 1


def no_audit(appliance: Appliance) -> None:
    """From now on no audit entry can be written."""
    with appliance.db.writing() as session:
        session.execute(
            text("CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END")
        )


def test_a_sign_in_that_cannot_be_recorded_does_not_happen(appliance: Appliance, stranger: Visitor) -> None:
    """The session and the audit entry are one transaction."""
    no_audit(appliance)
    assert stranger.post("/login", {"username": "alice", "password": PASSWORD}).status_code == 500
    with appliance.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AccountSession)) == 0


def test_a_picture_or_icon_that_cannot_be_recorded_is_not_kept(appliance: Appliance, administrator: Visitor) -> None:
    """Nor is one removed."""
    administrator.upload("/settings/account/picture", "picture", picture())
    administrator.upload("/settings/customization/icons", "picture", picture(), name="Kept")
    kept = files_of(appliance)
    with appliance.db.reading() as session:
        (icon,) = stored_icons.list_icons(session)
    no_audit(appliance)

    answers = [
        administrator.upload("/settings/account/picture", "picture", picture(colour="red")),
        administrator.post("/settings/account/picture/remove"),
        administrator.upload("/settings/customization/icons", "picture", picture(), name="Lost"),
        administrator.post(f"/settings/customization/icons/{icon.uid}/delete"),
    ]

    assert [answer.status_code for answer in answers] == [500] * 4
    assert files_of(appliance) == kept
    with appliance.db.reading() as session:
        assert [one.name for one in stored_icons.list_icons(session)] == ["Kept"]
        assert session.scalars(select(User.picture)).one() in kept


def files_of(appliance: Appliance) -> set[str]:
    folders = (appliance.paths.profile_pictures, appliance.paths.custom_icons)
    return {file.name for folder in folders for file in folder.iterdir()}


def test_a_forged_forwarding_header_does_not_escape_the_throttle(app: Flask, stranger: Visitor) -> None:
    """A peer that is no trusted proxy waits, whatever addresses it claims; another address does not."""
    for n in range(5):
        last = stranger.post(
            "/login", {"username": "alice", "password": "wrong"}, headers={"X-Forwarded-For": f"198.51.100.{n}"}
        )
    assert last.status_code == 429
    elsewhere = Visitor(app, address="203.0.113.99")
    assert elsewhere.post("/login", {"username": "alice", "password": PASSWORD}).status_code == 303


def test_signing_out_ends_the_session_on_the_server(appliance: Appliance, administrator: Visitor) -> None:
    """The row goes, and a copy of the cookie is worth nothing afterwards."""
    cookie = administrator.client.get_cookie(_cookie_name(administrator), domain="framerr.test")
    assert cookie is not None
    administrator.get("/")
    response = administrator.post("/logout")
    assert (response.status_code, response.location) == (303, "/login")
    with appliance.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AccountSession)) == 0
    administrator.client.set_cookie(cookie.key, cookie.value, domain="framerr.test")
    assert administrator.get("/").location == "/login"


@pytest.mark.parametrize("keep", [False, True])
def test_keep_me_signed_in_outlives_the_browser(app: Flask, keep: bool) -> None:
    """Without it the browser forgets the cookie when it closes; with it, after 30 days."""
    visitor = Visitor(app)
    visitor.sign_in("alice", PASSWORD, **({"keep": "1"} if keep else {}))
    cookie = visitor.client.get_cookie(_cookie_name(visitor), domain="framerr.test")
    assert cookie is not None
    assert cookie.expires is None if not keep else cookie.expires > utcnow() + timedelta(days=29)


def test_the_cookie_is_http_only_lax_and_secure_behind_https(app: Flask) -> None:
    """HttpOnly and SameSite=Lax always, Secure when the person came by https."""
    for base_url, secure in (("http://framerr.test", False), ("https://framerr.test", True)):
        header = Visitor(app, base_url=base_url).get("/login").headers["Set-Cookie"]
        assert "HttpOnly" in header
        assert "SameSite=Lax" in header
        assert ("Secure" in header) is secure
        assert "Path=/;" in header


def test_two_appliances_on_one_host_use_cookies_of_different_names(tmp_path: Path) -> None:
    """Ports do not separate cookies, so the name does."""
    names = set()
    for name in ("one", "two"):
        with appliance_in(tmp_path / name) as appliance:
            set_up(appliance)
            names.add(create_app(appliance).config["SESSION_COOKIE_NAME"])
    assert len(names) == 2


def test_signing_in_makes_a_new_token_and_keeps_nothing_of_the_stranger(app: Flask) -> None:
    """A cookie that was fixed before signing in is not the signed-in one."""
    visitor = Visitor(app)
    visitor.get("/login")
    before = visitor.client.get_cookie(_cookie_name(visitor), domain="framerr.test")
    visitor.sign_in("alice", PASSWORD)
    after = visitor.client.get_cookie(_cookie_name(visitor), domain="framerr.test")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    visitor.client.set_cookie(before.key, before.value, domain="framerr.test")
    assert visitor.get("/").location == "/login"


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/activity?before=x", "/activity?before=x"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_only_own_pages_follow(stranger: Visitor, wanted: str, goes_to: str) -> None:
    """`next` cannot lead to another host, however it is spelled."""
    response = stranger.post("/login", {"username": "alice", "password": PASSWORD, "next": wanted})
    assert response.location == goes_to


def test_a_page_behind_the_login_is_where_a_person_lands(stranger: Visitor) -> None:
    """The address that was asked for survives signing in."""
    asked = stranger.get("/settings/customization/icons")
    assert asked.location == "/login?next=/settings/customization/icons"
    assert 'name="next" value="/settings/customization/icons"' in stranger.get(asked.location).text


def test_local_paths_are_recognised() -> None:
    """What is a path of ours and what only looks like one."""
    assert local_path("/settings") == "/settings"
    assert [local_path(text) for text in (None, "", "settings", "//x", "/\\x", "/a\nb", "/ a")] == [None] * 7


def _cookie_name(visitor: Visitor) -> str:
    return str(visitor.client.application.config["SESSION_COOKIE_NAME"])
