"""The whole app behind the real web server: what only shows on the wire."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

import pytest

from framerr.server.http import HttpServer
from framerr.web import create_app
from framerr.web.headers import HEADERS
from tests.factories import appliance_in
from tests.web.people import copy_set_up


@contextmanager
def served(tmp_path: Path, **env: str) -> Iterator[int]:
    """A set-up appliance on a port of its own."""
    copy_set_up(tmp_path)
    with appliance_in(tmp_path, **env) as appliance:
        server = HttpServer(create_app(appliance), socket.create_server(("127.0.0.1", 0)))
        server.start()
        try:
            yield server.port
        finally:
            server.stop(2)


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Message, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(("trusted", "secure"), [("", False), ("127.0.0.1", True)])
def test_forwarded_headers_reach_the_app_and_are_believed_only_from_trusted_peers(
    tmp_path: Path, trusted: str, secure: bool
) -> None:
    """The web server does not swallow them first; the cookie shows what was believed."""
    with served(tmp_path, FRAMERR_TRUSTED_PROXIES=trusted) as port:
        _, headers, page = ask(
            port, "GET", "/login", X_Forwarded_Proto="https", X_Forwarded_Prefix="/framerr", X_Forwarded_For="10.1.1.1"
        )
    assert ("Secure" in headers["Set-Cookie"]) is secure
    assert ('action="/framerr/login"' in page) is secure


def test_every_answer_is_dressed_on_the_wire_too(tmp_path: Path) -> None:
    """Pages, errors and files; the server does not tell its name."""
    with served(tmp_path) as port:
        for path in ("/login", "/nothing", "/health", "/static/x/css/framerr.css"):
            _, headers, _ = ask(port, "GET", path)
            assert {name: headers[name] for name in HEADERS} == HEADERS
            assert headers["Server"] is None


def test_a_form_above_the_limit_is_refused_in_words(tmp_path: Path) -> None:
    """413 with our page between our limit and the server's own."""
    with served(tmp_path) as port:
        body = b"x" * (10 << 20)
        status, _, page = ask(port, "POST", "/login", body, Content_Type="multipart/form-data; boundary=x")
    assert status == 413
    assert "at most 9.4\u00a0MB are accepted" in page


def test_a_missing_length_or_a_strange_method_does_no_harm(tmp_path: Path) -> None:
    """Refused, and the next request is answered."""
    with served(tmp_path) as port:
        assert ask(port, "BREW", "/login")[0] == 405
        assert ask(port, "POST", "/login", b"")[0] == 400
        assert ask(port, "GET", "/health")[0] == 200
