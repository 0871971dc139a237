"""The shapes of an answer, and going from page to page."""

from __future__ import annotations

import pytest
from flask import Flask

from framerr.web import htmx

HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("path", "headers", "shape"),
    [
        ("/activity", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "page"),
        ("/activity", {}, "page"),
        ("/activity", {"Accept": "*/*"}, "page"),
        ("/activity", {"Accept": "application/json"}, "json"),
        ("/activity", {"Accept": "text/html", **HTMX}, "fragment"),
        ("/activity", {"Accept": "text/html", "HX-History-Restore-Request": "true", **HTMX}, "page"),
        ("/api/1/uploads", {"Accept": "text/html"}, "json"),
        ("/api/1/uploads", HTMX, "json"),
    ],
)
def test_the_caller_decides_the_shape(path: str, headers: dict[str, str], shape: str) -> None:
    """A browser gets pages, htmx fragments, programs JSON; below /api/ there is only JSON."""
    with Flask("x").test_request_context(path, headers=headers):
        assert htmx.shape() == shape


def test_going_on_is_a_redirect_or_a_header() -> None:
    """htmx would put a followed redirect into the fragment's place."""
    app = Flask("x")
    with app.test_request_context("/", headers=HTMX):
        answer = htmx.go("/login", status=401)
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")
    with app.test_request_context("/"):
        answer = htmx.go("/login", status=401)
        assert (answer.status_code, answer.location) == (303, "/login")


@pytest.mark.parametrize(
    ("current", "path"),
    [
        ("http://localhost/framerr/activity?before=x", "/activity?before=x"),
        ("http://localhost/framerr/", "/"),
        ("http://evil.example/framerr/activity", None),
        ("http://localhost/elsewhere", None),
        ("", None),
    ],
)
def test_the_page_behind_a_fragment_is_one_of_ours(current: str, path: str | None) -> None:
    """Below the base path, on this host; anything else is not led back to."""
    base = {"SCRIPT_NAME": "/framerr"}
    headers = {**HTMX, "HX-Current-URL": current}
    with Flask("x").test_request_context("/progress", headers=headers, environ_overrides=base):
        assert htmx.page_behind() == path


def test_the_page_behind_a_form_is_not_known() -> None:
    """What was posted cannot be looked at again."""
    with Flask("x").test_request_context("/save", method="POST"):
        assert htmx.page_behind() is None
    with Flask("x").test_request_context("/activity?before=x"):
        assert htmx.page_behind() == "/activity?before=x"
