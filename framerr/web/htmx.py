"""The shapes an answer can have: a page, a fragment for htmx, JSON for programs; and going from page to page."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template, request

Shape = Literal["page", "fragment", "json"]
API = "/api/"


def shape() -> Shape:
    """What the caller of this request can use."""
    accepted = request.accept_mimetypes
    if request.path.startswith(API) or accepted["application/json"] > accepted["text/html"]:
        return "json"
    return "fragment" if wants_fragment() else "page"


def wants_fragment() -> bool:
    """Whether htmx will put the answer into a page that is already there."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def render(template: str, *, partial: str | None = None, status: int = 200, **context: Any) -> Response:
    """The page, or `partial` with the same context when htmx asks and there is one."""
    chosen = partial if partial is not None and wants_fragment() else template
    response = make_response(render_template(chosen, **context), status)
    response.vary.add("HX-Request")
    return response


def go(location: str, *, status: int = 204) -> Response:
    """Send the browser to another page of ours: 303 for a plain form, HX-Redirect (with `status`) for htmx.

    htmx would follow a 303 itself and put the whole page into the fragment's place.
    """
    if wants_fragment():
        return Response(status=status, headers={"HX-Redirect": location})
    return make_response(redirect(location, 303))


def page_behind() -> str | None:
    """The path (below the base path) of the page a person looks at: this one, or the one htmx asks for."""
    if not wants_fragment():
        return request.full_path.rstrip("?") if request.method == "GET" else None
    parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    if parts.netloc != request.host or not parts.path.startswith(request.script_root + "/"):
        return None
    path = parts.path[len(request.script_root) :]
    return f"{path}?{parts.query}" if parts.query else path
