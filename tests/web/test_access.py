"""Who may call what: the URL map is walked as everybody, before setup and after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask
from werkzeug.routing import Rule

from framerr.appliance import Appliance
from framerr.web import access, create_app
from framerr.web.access import Access
from tests.web.people import Visitor, set_up

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What a role may at least knock at: the view then answers itself.
LET_IN = {
    "stranger": {Access.ANYONE, Access.PUBLIC},
    "viewer": {Access.ANYONE, Access.PUBLIC, Access.SIGNED_IN},
    "editor": {Access.ANYONE, Access.PUBLIC, Access.SIGNED_IN},
    "administrator": {
        Access.ANYONE,
        Access.PUBLIC,
        Access.SIGNED_IN,
        Access.ADMINISTRATOR,
        Access.SETUP_OR_ADMINISTRATOR,
    },
}


def routes(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Every rule with one of its methods and a path that matches it."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            values = {name: _sample(rule, name) for name in rule.arguments}
            built = rule.build(values, append_unknown=False)
            assert built is not None
            for method in sorted((rule.methods or set()) & set(METHODS)):
                yield rule, method, built[1]


def _sample(rule: Rule, name: str) -> str:
    """A value that the converter of a variable part takes."""
    choices = getattr(rule._converters[name], "items", None)
    return min(choices) if choices else "0" * 32


def test_every_view_declares_its_access(app: Flask) -> None:
    """The map knows no view without a level."""
    assert [name for name in app.view_functions if access.of(app, name) is None] == []


def test_a_view_without_a_declaration_keeps_the_app_from_starting(app: Flask) -> None:
    """The names of the silent views are in the message."""
    silent = Blueprint("silent", __name__)
    silent.add_url_rule("/silent", "view", lambda: "")
    fresh = Flask("fresh", static_folder=None)
    fresh.register_blueprint(silent)
    with pytest.raises(TypeError, match=r"silent\.view"):
        access.install(fresh)


@pytest.mark.parametrize("who", LET_IN)
def test_each_role_reaches_what_is_declared_and_nothing_else(
    app: Flask, appliance: Appliance, who: str, request: pytest.FixtureRequest
) -> None:
    """A stranger is led to the login, a person with too small a role is told so, setup is over for everybody."""
    wrong = []
    for rule, method, path in routes(app):
        if rule.endpoint == "auth.logout":
            continue
        visitor: Visitor = request.getfixturevalue(who)
        level = access.of(app, rule.endpoint)
        # No token is sent, so a view that would change something is never reached: 400 means "let in so far".
        response = visitor.client.open(path, method=method, base_url="http://framerr.test")
        status = response.status_code
        if level in LET_IN[who]:
            fine = status not in {401, 403} and (who == "stranger" or response.location != "/login")
        elif level is Access.SETUP:
            fine = status in {303, 405}
        elif who == "stranger":
            fine = status == (401 if path.startswith("/api/") else 303)
        else:
            fine = status == 403
        wrong += [] if fine else [(who, method, path, status)]
    assert wrong == []


def test_an_instance_without_users_shows_only_the_wizard(empty: Appliance) -> None:
    """Everything but setup, static files and health leads to it (R-002-28)."""
    app = create_app(empty)
    visitor = Visitor(app)
    wrong = []
    for rule, method, path in routes(app):
        level = access.of(app, rule.endpoint)
        if level in {Access.ANYONE, Access.SETUP, Access.SETUP_OR_ADMINISTRATOR}:
            continue
        response = visitor.client.open(path, method=method)
        if response.status_code != 303 or not response.location.startswith("/setup"):
            wrong.append((method, path, response.status_code))
    assert wrong == []


def test_setup_is_over_as_soon_as_there_is_a_user(empty: Appliance) -> None:
    """The same running app closes the wizard for everybody when somebody finished it."""
    app = create_app(empty)
    assert Visitor(app).get("/").location == "/setup/"
    set_up(empty)
    assert Visitor(app).get("/setup/").location == "/login"
    answer = Visitor(app).client.post("/setup/")
    assert (answer.location, answer.headers.get("Set-Cookie")) == ("/login", None)


def test_htmx_is_sent_to_the_login_as_a_whole_page(stranger: Visitor) -> None:
    """401 with HX-Redirect, back to the page the person looked at, not into the fragment."""
    response = stranger.htmx("/activity", **{"HX-Current-URL": "http://framerr.test/activity?before=x"})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/login?next=/activity?before%3Dx"


def test_programs_are_told_in_json(stranger: Visitor, viewer: Visitor) -> None:
    """401 and 403 have the one error shape."""
    asked = {"Accept": "application/json"}
    nobody = stranger.client.get("/activity", headers=asked)
    assert (nobody.status_code, nobody.json["error"]["code"]) == (401, "unauthorized")
    small = viewer.client.get("/settings/customization/icons", headers=asked, base_url="http://framerr.test")
    assert (small.status_code, small.json["error"]["code"]) == (403, "forbidden")
