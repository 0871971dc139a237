"""What goes wrong, in the shape that was asked for."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask import Flask

from framerr.appliance import Appliance
from framerr.core import errors as core_errors
from framerr.core.errors import Conflict, DiskFull, FramerrError, InvalidInput, LimitExceeded, NotFound, Unavailable
from framerr.observability.logs import request_id
from framerr.web import access, create_app
from framerr.web.errors import STATUS, status_of
from tests.factories import appliance_in
from tests.web.people import PASSWORD, Visitor

RAISED: dict[str, Exception] = {
    "missing": NotFound("This backup is not in the list any more."),
    "wrong": InvalidInput("Keep at least 1 and at most 30.", field="max"),
    "busy": Conflict("A restore is under way."),
    "often": LimitExceeded("Wait a little.", retry_after=4.2),
    "large": LimitExceeded("The picture is too large."),
    "full": DiskFull("The disk is full.", path=Path("/config")),
    "later": Unavailable("The disk does not answer.", retry_after=30),
    "bug": ZeroDivisionError("a secret detail"),
}


@pytest.fixture
def failing(app: Flask, appliance: Appliance) -> Visitor:
    """alice, in front of an app with views that fail in every way."""
    fresh = create_app(appliance)
    for name, error in RAISED.items():
        fresh.add_url_rule(f"/raise/{name}", f"raise.{name}", access.public(_raiser(error)))
        fresh.add_url_rule(f"/api/raise/{name}", f"api.{name}", access.public(_raiser(error)))
    return Visitor(fresh).sign_in("alice", PASSWORD)


def _raiser(error: Exception) -> object:
    def view() -> str:
        raise error

    return view


def test_every_category_has_one_status() -> None:
    """The table knows each class of the tree; a subclass stands before its parent."""
    kinds = [kind for kind in vars(core_errors).values() if isinstance(kind, type) and issubclass(kind, FramerrError)]
    assert {kind for kind, _ in STATUS} == set(kinds) - {FramerrError}
    for place, (kind, _) in enumerate(STATUS):
        assert not any(issubclass(later, kind) for later, _ in STATUS[place + 1 :])


@pytest.mark.parametrize(
    ("name", "status"),
    [("missing", 404), ("wrong", 422), ("busy", 409), ("often", 429), ("large", 413), ("full", 507), ("later", 503)],
)
def test_a_sentence_reaches_page_fragment_and_program(failing: Visitor, name: str, status: int) -> None:
    """The same status and the same words in every shape."""
    error = RAISED[name]
    assert isinstance(error, FramerrError)
    assert status_of(error) == status
    page = failing.get(f"/raise/{name}")
    assert page.status_code == status
    assert error.message in page.text
    assert "<html" in page.text
    fragment = failing.htmx(f"/raise/{name}")
    assert fragment.status_code == status
    assert error.message in fragment.text
    assert "<html" not in fragment.text
    told = failing.get(f"/api/raise/{name}")
    assert told.status_code == status
    assert told.json["error"]["message"] == error.message
    assert told.json["error"]["code"] == error.code


def test_waiting_times_are_in_the_header(failing: Visitor) -> None:
    """Whole seconds, rounded up, only where waiting helps."""
    assert failing.get("/raise/often").headers["Retry-After"] == "5"
    assert failing.get("/raise/later").headers["Retry-After"] == "30"
    assert "Retry-After" not in failing.get("/raise/large").headers


def test_the_field_at_fault_is_named_to_programs(failing: Visitor) -> None:
    """And only then."""
    assert failing.get("/api/raise/wrong").json["error"]["field"] == "max"
    assert "field" not in failing.get("/api/raise/busy").json["error"]


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_an_incident_has_an_id_that_is_in_the_log(
    failing: Visitor, caplog: pytest.LogCaptureFixture, prefix: str
) -> None:
    """The page shows the id and no detail; the log has both."""
    seen: list[str | None] = []

    def note(_record: logging.LogRecord) -> bool:
        seen.append(request_id.get())
        return True

    caplog.handler.addFilter(note)
    with caplog.at_level(logging.ERROR):
        response = failing.get(f"{prefix}/raise/bug")
    assert response.status_code == 500
    assert "secret detail" not in response.text
    record = next(record for record in caplog.records if record.message == "request failed")
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    incident = seen[-1]
    assert incident
    assert incident in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/no/such/page", 404), ("PUT", "/activity", 405), ("GET", "/logout", 405)]
)
def test_what_the_server_refuses_is_a_sentence_too(administrator: Visitor, method: str, path: str, status: int) -> None:
    """In each shape."""
    page = administrator.client.open(path, method=method, base_url="http://framerr.test")
    assert page.status_code == status
    assert "<h1>" in page.text
    told = administrator.client.open(
        path, method=method, base_url="http://framerr.test", headers={"Accept": "application/json"}
    )
    assert told.json["error"]["message"].endswith(".")
    if status == 405:
        assert "Allow" in page.headers


def test_too_large_a_form_is_a_sentence(administrator: Visitor) -> None:
    """413 before anything of it is used."""
    administrator.get("/settings/account/profile")
    response = administrator.client.post(
        "/settings/account/picture",
        data=b"x" * (10 << 20),
        content_type="multipart/form-data; boundary=x",
        base_url="http://framerr.test",
    )
    assert response.status_code == 413
    assert "8\u00a0MB" in response.text


def test_too_large_a_body_that_is_no_picture_says_so(stranger: Visitor) -> None:
    """It told a person who signs in about pictures."""
    stranger.get("/login")
    response = stranger.client.post("/login", data={"username": "x" * (10 << 20)}, base_url="http://framerr.test")
    assert response.status_code == 413
    assert "The body of this request is too large: at most 9.4\u00a0MB are accepted." in response.text
    assert "icture" not in response.text


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/setup", "", "/setup/"),
        ("/setup", "x=//evil.example", "/setup/?x=//evil.example"),
        ("/setup//account", "", "/setup/account"),
    ],
)
def test_a_path_is_put_right_on_this_host(empty: Appliance, path: str, query: str, location: str) -> None:
    """The redirect led to whatever host the request named."""
    client = create_app(empty).test_client()
    response = client.get(path, query_string=query, headers={"Host": "evil.example"})
    assert (response.status_code, response.headers["Location"]) == (308, location)
    assert "http://evil.example" not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_path_is_put_right_below_the_base_path(tmp_path: Path) -> None:
    with appliance_in(tmp_path, FRAMERR_BASE_PATH="/framerr") as below:
        client = create_app(below).test_client()
        for path in ("/framerr/setup", "/setup"):
            assert client.get(path, headers={"Host": "evil.example"}).headers["Location"] == "/framerr/setup/"


def test_a_broken_database_still_gets_a_page(appliance: Appliance, administrator: Visitor) -> None:
    """The error page needs nothing that is broken."""
    appliance.db.close()
    appliance.paths.database.write_bytes(b"this is not a database" * 1000)
    for name in ("-wal", "-shm"):
        appliance.paths.database.with_name(appliance.paths.database.name + name).unlink(missing_ok=True)
    response = administrator.get("/")
    assert response.status_code in {422, 503}
    assert "database" in response.text
