"""The headers of every answer."""

from __future__ import annotations

import pytest
from flask import Flask

from framerr.web.headers import HEADERS
from tests.web.people import Visitor


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/login", 303),
        ("/health", 200),
        ("/nothing/here", 404),
        ("/static/old/css/framerr.css", 200),
        ("/static/old/css/none.css", 404),
        ("/favicon.png", 404),
        ("/activity/none", 404),
    ],
)
def test_every_answer_carries_them(administrator: Visitor, path: str, status: int) -> None:
    """Pages, redirects, errors, health and static files."""
    response = administrator.get(path)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert response.headers.getlist("Content-Security-Policy") == [HEADERS["Content-Security-Policy"]]


def test_the_policy_allows_nothing_inline_and_no_other_host() -> None:
    """No unsafe-inline, no wildcard, no host."""
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_pages_are_not_stored_and_static_files_are_kept(app: Flask, administrator: Visitor) -> None:
    """A page may hold what only its reader should see; a hashed file never changes."""
    page = administrator.get("/")
    assert page.headers["Cache-Control"] == "no-store"
    with app.test_request_context():
        address = app.jinja_env.globals["static_url"]("css/framerr.css")
    kept = administrator.get(address)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in kept.headers
