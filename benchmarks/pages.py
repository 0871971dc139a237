"""The main pages over keep-alive connections, for 1 and for 8 clients at a time, a bounded number of requests each.

The instance has lived for a while: 30 backups in the list, their jobs and events. The peer is a bare Flask page of 20
SQLite rows under waitress, asked in the same way.
"""

from __future__ import annotations

import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from data import appliance, ask, make_instance
from measure import HOST, PATIENCE, Figure, Server, bare, percentile, say, scratch, show
from visitor import Visitor

PAGES = {"login": "/login", "home": "/", "backups": "/settings/advanced/backups", "activity": "/activity"}
BACKUPS = 30
REQUESTS = {1: 300, 8: 200}
WARM = 20


def measure() -> list[Figure]:
    say("pages: an instance with 30 backups")
    with scratch() as folder:
        paths = make_instance(folder / "config", max_backups=BACKUPS)
        with appliance(paths.root) as ours, bare("page") as peer:
            for _ in range(BACKUPS):
                ask(paths.root, "backup.create")
            with Visitor(ours) as visitor:
                visitor.sign_in()
                cookie = visitor.cookie
            return [
                figure
                for name, path in PAGES.items()
                for clients in REQUESTS
                for figure in compare(name, path, clients, ours, "" if name == "login" else cookie, peer)
            ]


def compare(name: str, path: str, clients: int, ours: Server, cookie: str, peer: Server) -> list[Figure]:
    bare_page = ask_all(peer, "/", "", clients)
    page = ask_all(ours, path, cookie, clients)
    who = "1 client" if clients == 1 else f"{clients} clients"
    limit = 30 if clients > 1 else None
    return [
        Figure(f"{name} page, {who}: p50", "ms", percentile(page, 50), percentile(bare_page, 50)),
        Figure(f"{name} page, {who}: p95", "ms", percentile(page, 95), percentile(bare_page, 95), at_most=limit),
    ]


def ask_all(server: Server, path: str, cookie: str, clients: int) -> list[float]:
    """Milliseconds per answer, of all clients."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nCookie: {cookie}\r\n\r\n".encode()
    with ThreadPoolExecutor(clients) as pool:
        waits = pool.map(lambda _: ask_often(server.port, request, REQUESTS[clients]), range(clients))
        return [wait for each in waits for wait in each]


def ask_often(port: int, request: bytes, count: int) -> list[float]:
    waits = []
    with socket.create_connection((HOST, port), PATIENCE) as connection:
        for _ in range(WARM + count):
            began = time.perf_counter()
            connection.sendall(request)
            receive(connection)
            waits.append(1000 * (time.perf_counter() - began))
    return waits[WARM:]


def receive(connection: socket.socket) -> None:
    """Read one answer to its end. Ends the benchmark when it is not a page: an error would be quick."""
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if not head.startswith(b"HTTP/1.1 200 ") or length is None:
        sys.exit(f"This is no page: {head.splitlines()[0]!r}")
    missing = int(length[1]) - len(body)
    while missing:
        missing -= len(connection.recv(missing))


if __name__ == "__main__":
    show(measure())
