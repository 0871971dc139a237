"""The web server: the address reserved with a sentence, answers finished before the end."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from framerr.core.errors import Conflict, InvalidInput
from framerr.server.http import MAX_BODY, HttpServer, bind
from tests.factories import make_settings
from tests.processes import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    seen = environ.get("HTTP_X_FORWARDED_FOR", "")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"hello {seen}".encode()]


@contextmanager
def served(app: WSGIApplication) -> Iterator[HttpServer]:
    server = HttpServer(app, socket.create_server(("127.0.0.1", 0)))
    server.start()
    try:
        yield server
    finally:
        server.stop(2)


def ask(server: HttpServer, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_answers_and_names_no_server() -> None:
    with served(hello) as server:
        answer = ask(server)
        assert (answer.status, answer.getheader("Server"), server.fault()) == (200, None, None)


def test_forwarding_headers_reach_the_web_layer() -> None:
    """Which of them are believed is decided there, per network."""
    with served(hello) as server:
        assert ask(server, **{"X-Forwarded-For": "203.0.113.7"}).body == b"hello 203.0.113.7"  # type: ignore[attr-defined]


def test_a_body_beyond_the_limit_is_refused() -> None:
    with served(hello) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(MAX_BODY + 1))
        connection.endheaders(b"x" * 65536)
        assert connection.getresponse().status == 413
        connection.close()


def test_an_answer_under_way_is_finished_and_nothing_new_begun() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun.set()
        go_on.wait(10)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return [b"done"]

    with served(slow) as server:
        answers: list[bytes] = []
        asker = threading.Thread(target=lambda: answers.append(ask(server).body))  # type: ignore[attr-defined]
        asker.start()
        assert begun.wait(10)
        stopper = threading.Thread(target=server.stop, args=(10,))
        stopper.start()
        go_on.set()
        stopper.join(10)
        asker.join(10)
        assert answers == [b"done"]
        assert server.fault() is not None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_idle_connections_do_not_hold_up_the_end() -> None:
    with served(hello) as server:
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        idle.sendall(b"GET / HT")
        assert ask(server).status == 200
    assert server.fault() is not None
    idle.close()


def test_a_port_in_use_is_a_conflict(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} is in use"):
            bind(make_settings(tmp_path, PORT=str(port)))


def test_a_strange_address_is_named(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, FRAMERR_HOST="203.0.113.77", PORT=str(free_port()))
    with pytest.raises(InvalidInput, match=r"203\.0\.113\.77 is not an address of this machine"):
        bind(settings)
