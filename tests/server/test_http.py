"""The web server: the address reserved with a sentence, answers finished before the end."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from framerr.core.errors import Conflict, InvalidInput
from framerr.server.crowd import Limits
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
def served(app: WSGIApplication, **more: Any) -> Iterator[HttpServer]:
    server = HttpServer(app, socket.create_server(("127.0.0.1", 0)), **more)
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


UNFINISHED = b"POST / HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def connected(server: HttpServer, count: int, sent: bytes = UNFINISHED) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            opened.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10)))
            opened[-1].sendall(sent)
        yield opened


def still_open(connections: list[socket.socket], wanted: int) -> int:
    """How many are open, once it is `wanted` or after ten seconds."""
    deadline = time.monotonic() + 10
    while True:
        count = sum(1 for each in connections if not is_closed(each))
        if count == wanted or time.monotonic() > deadline:
            return count
        time.sleep(0.02)


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def unlinked_bytes() -> int:
    """The size of the files of this process that have no name any more."""
    total = 0
    for handle in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{handle}").endswith("(deleted)"):
                total += os.stat(f"/proc/self/fd/{handle}").st_size
        except FileNotFoundError:
            continue
    return total


def test_unfinished_requests_keep_nobody_from_being_answered() -> None:
    """520 of them from one address kept /health from answering for two minutes."""
    with served(hello, is_exempt=lambda _: True) as server, connected(server, 520):
        began = time.monotonic()
        assert ask(server).status == 200
        assert time.monotonic() - began < 2


def test_one_address_holds_so_many_connections_and_loses_its_oldest() -> None:
    with served(hello, limits=Limits(of_one_origin=5)) as server, connected(server, 8) as opened:
        assert still_open(opened, 5) == 5
        assert [is_closed(each) for each in opened] == [True] * 3 + [False] * 5
        assert ask(server).status == 200


def test_an_address_that_speaks_for_many_is_not_bounded_alone() -> None:
    few, exempt = Limits(of_one_origin=5), "127.0.0.1".__eq__
    with served(hello, limits=few, is_exempt=exempt) as server, connected(server, 8) as opened:
        assert ask(server).status == 200
        assert still_open(opened, 8) == 8


def test_unfinished_bodies_take_no_more_room_than_a_few() -> None:
    """30 of 15 MB lay in files without a name, and 500 would have taken 8 GB."""
    body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 15000000\r\n\r\n" + bytes(2_000_000)
    before = unlinked_bytes()
    with served(hello, is_exempt=lambda _: True) as server, connected(server, 30, body) as opened:
        assert still_open(opened, Limits().bodies) == Limits().bodies
        assert unlinked_bytes() - before <= Limits().bodies * 2_000_000
        assert ask(server).status == 200


def test_what_never_becomes_a_request_is_closed_in_time() -> None:
    limits = Limits(silent=0.2)
    with served(hello, limits=limits) as server, connected(server, 2) as begun, connected(server, 1, b"") as unused:
        assert still_open(begun + unused, 0) == 0


def test_a_connection_that_was_used_may_wait_longer_for_the_next_request() -> None:
    with served(hello, limits=Limits(silent=0.2)) as server, connected(server, 1) as unfinished:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        for _ in range(2):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"hello "
            assert still_open(unfinished, 0) == 0  # by now a new one would have been closed
        connection.close()


def test_a_port_in_use_is_a_conflict(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} is in use"):
            bind(make_settings(tmp_path, PORT=str(port)))


def test_a_strange_address_is_named(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, FRAMERR_HOST="203.0.113.77", PORT=str(free_port()))
    with pytest.raises(InvalidInput, match=r"203\.0\.113\.77 is not an address of this machine"):
        bind(settings)
