"""A browser that signs in: just enough of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Self
from urllib.parse import urlencode

from data import ADMINISTRATOR, PASSWORD
from measure import HOST, PATIENCE, Server

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|name="csrf-token"[^>]*content="([^"]+)"')


@dataclass
class Visitor:
    """One keep-alive connection, one cookie, and the form key of the page seen last. `with` closes it."""

    server: Server
    cookie: str = ""
    token: str = ""

    def __enter__(self) -> Self:
        self.connection = HTTPConnection(HOST, self.server.port, timeout=PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def sign_in(self) -> None:
        self.get("/login")
        form = {"csrf_token": self.token, "username": ADMINISTRATOR, "password": PASSWORD}
        self.send("POST", "/login", urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
        self.get("/")

    def get(self, path: str) -> None:
        found = _TOKEN.search(self.send("GET", path)[1].decode())
        assert found is not None, f"{path} has no form key"
        self.token = found[1] or found[2]

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        """The answer and its body. Errors end the benchmark."""
        given = {"Cookie": self.cookie, "X-CSRFToken": self.token} | dict(headers or {})
        self.connection.request(method, path, body, given)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status < 400, f"{method} {path} was answered with {answer.status}"
        self.cookie = (answer.getheader("Set-Cookie") or self.cookie).partition(";")[0]
        return answer, content
