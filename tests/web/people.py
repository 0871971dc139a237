"""People in front of the pages: what they have, and the verbs with which they use it."""

from __future__ import annotations

import re
import shutil
from functools import cache
from html import unescape
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from framerr.accounts import users
from framerr.accounts.models import Role
from framerr.appliance import Appliance
from framerr.core.clock import utcnow
from framerr.core.paths import Paths
from framerr.jobs.calendar import Rule
from framerr.setup.finish import start_fresh
from tests.factories import appliance_in

PASSWORD = "a long enough pass phrase"
_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


def set_up(appliance: Appliance, *, rule: Rule | None = None) -> None:
    """Start Fresh, as alice, in Berlin."""
    start_fresh(
        appliance.db,
        appliance.paths,
        username="alice",
        password=PASSWORD,
        display_name="Alice Example",
        instance_name="Studio server",
        time_zone="Europe/Berlin",
        rule=rule or Rule("daily", 4),
        max_backups=7,
        now=utcnow(),
    )


def copy_set_up(tmp_path: Path) -> None:
    """Put the database of an instance that alice set up where `make_appliance` will find it."""
    paths = Paths(tmp_path / "config")
    paths.prepare()
    shutil.copyfile(_set_up(), paths.database)


@cache
def _set_up() -> Path:
    """A database after Start Fresh, made once for all tests of a process."""
    folder = Path(mkdtemp(prefix="framerr-tests-"))
    with appliance_in(folder) as appliance:
        set_up(appliance)
        appliance.db.checkpoint()
    return folder / "config" / "data" / "framerr.db"


def add_person(appliance: Appliance, username: str, role: Role) -> None:
    """Another account with the same password."""
    with appliance.db.writing() as session:
        users.create_user(
            session, username=username, password=PASSWORD, display_name=username.title(), role=role, now=utcnow()
        )


class Visitor:
    """A browser without JavaScript: it keeps cookies and sends the token of the last page it read."""

    def __init__(self, app: Flask, *, address: str = "203.0.113.7", base_url: str = "http://framerr.test") -> None:
        self.client = app.test_client()
        self.client.environ_base["REMOTE_ADDR"] = address
        self._base_url = base_url
        self._token = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        response = self.client.get(path, base_url=self._base_url, buffered=True, **more)
        found = _TOKEN.search(response.text) if response.mimetype == "text/html" else None
        self._token = unescape(found[1]) if found else self._token
        return response

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form with the token."""
        if not self._token:
            self.get("/login")
        return self.client.post(path, data={"csrf_token": self._token, **(data or {})}, base_url=self._base_url, **more)

    def upload(self, path: str, field: str, data: bytes, /, **fields: str) -> TestResponse:
        """Send a form with a file."""
        return self.post(path, {field: (BytesIO(data), "whatever.bin"), **fields}, content_type="multipart/form-data")

    def htmx(self, path: str, method: str = "GET", data: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Ask as htmx does."""
        more = {"HX-Request": "true", "X-CSRFToken": self._token, "Accept": "text/html", **headers}
        return self.client.open(path, method=method, data=data, headers=more, base_url=self._base_url)

    def sign_in(self, username: str, password: str, **fields: str) -> Visitor:
        response = self.post("/login", {"username": username, "password": password, **fields})
        assert response.status_code == 303, response.text
        self.get(response.location)
        return self
