"""Forged requests: the URL map is walked with every method that changes something."""

from __future__ import annotations

from flask import Flask

from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.jobs import queue
from framerr.web import access, create_app
from framerr.web.access import Access
from tests.web.people import PASSWORD, Visitor
from tests.web.test_access import routes


def test_every_change_without_a_token_is_refused(app: Flask, administrator: Visitor) -> None:
    """400 for each mutating route, whatever is sent along."""
    wrong = []
    for rule, method, path in routes(app):
        if method == "GET" or access.of(app, rule.endpoint) is Access.SETUP:
            continue
        response = administrator.client.open(path, method=method, base_url="http://framerr.test", data={"name": "x"})
        if response.status_code != 400:
            wrong.append((method, path, response.status_code))
    assert wrong == []


def test_every_change_of_the_wizard_without_a_token_is_refused(empty: Appliance) -> None:
    """400 for each mutating route that an instance without users has, and nothing is changed by any of them."""
    app = create_app(empty)
    visitor = Visitor(app)
    levels = {Access.SETUP, Access.SETUP_OR_ADMINISTRATOR}
    tried, wrong = 0, []
    for rule, method, path in routes(app):
        if method == "GET" or access.of(app, rule.endpoint) not in levels:
            continue
        data = {"username": "mallory", "password": PASSWORD, "code": "ABCD-2345", "frequency": "off"}
        response = visitor.client.open(path, method=method, base_url="http://framerr.test", data=data)
        tried += 1
        if response.status_code != 400:
            wrong.append((method, path, response.status_code))
    assert wrong == []
    assert tried > 8
    assert list(empty.paths.uploads.iterdir()) == []
    with empty.db.reading() as session:
        assert users.count_users(session) == 0
        assert queue.open_runs(session) == []


def test_the_refusal_is_a_sentence_with_a_way_back(administrator: Visitor) -> None:
    """A page that was open too long says so, and leads back to where it was."""
    response = administrator.client.post(
        "/settings/account/profile",
        data={"display_name": "New"},
        base_url="http://framerr.test",
        headers={"Referer": "http://framerr.test/settings/account/profile"},
    )
    assert response.status_code == 400
    assert "Nothing was changed" in response.text
    assert 'href="http://framerr.test/settings/account/profile"' in response.text


def test_a_token_of_another_browser_is_worth_nothing(app: Flask, administrator: Visitor) -> None:
    """The token belongs to the session that it was given to."""
    other = Visitor(app)
    other.get("/login")
    administrator._token = other._token
    assert administrator.post("/settings/account/profile", {"display_name": "New"}).status_code == 400


def test_htmx_sends_the_token_as_a_header(administrator: Visitor) -> None:
    """No hidden field is needed then."""
    administrator.get("/settings/account/profile")
    response = administrator.htmx("/settings/account/profile", "POST", {"display_name": "New"})
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == "/settings/account/profile"


def test_a_post_without_any_cookie_is_refused(app: Flask) -> None:
    """Signing in, too, needs the token of the form."""
    response = app.test_client().post("/login", data={"username": "alice", "password": PASSWORD})
    assert response.status_code == 400


def test_a_form_sent_from_elsewhere_does_not_sign_anybody_out(app: Flask) -> None:
    """Browsers send no cookie with it; the refusal must not put a new one over the one they have."""
    refused = app.test_client().post("/login", headers={"Origin": "https://evil.example"})
    assert refused.status_code == 400
    assert "Set-Cookie" not in refused.headers


def test_programs_are_told_in_json(administrator: Visitor) -> None:
    """The one error shape, with a stable code."""
    response = administrator.client.post(
        "/settings/account/profile", headers={"Accept": "application/json"}, base_url="http://framerr.test"
    )
    assert (response.status_code, response.json["error"]["code"]) == (400, "csrf")
