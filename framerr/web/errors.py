"""What goes wrong, as a page, a fragment or JSON: one table from category to status, one place that logs an incident.

The third and last broad except of the product is here: whatever a view lets through becomes a page with an id that is
in the log, and never a blank connection.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, current_app, jsonify, make_response, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from jinja2 import Template
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from framerr.core.errors import (
    Cancelled,
    Conflict,
    Corrupt,
    DiskFull,
    Forbidden,
    FramerrError,
    Incompatible,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Unavailable,
)
from framerr.core.files import size_in_words
from framerr.observability.logs import request_id
from framerr.web.htmx import shape

log = logging.getLogger(__name__)

# The first class that fits decides, so a subclass stands before its parent.
STATUS: tuple[tuple[type[FramerrError], int], ...] = (
    (InvalidInput, 422),
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (LimitExceeded, 429),
    (Corrupt, 422),
    (DiskFull, 507),
    (Unavailable, 503),
    (Incompatible, 422),
    (Cancelled, 409),
)
TOO_LARGE = 413
_PICTURE_FORMS = frozenset({"account.picture_post", "customization.favicon_post", "customization.icons_post"})


@dataclass(frozen=True)
class Problem:
    """What the error page, fragment or JSON says. `incident` is the id under which the log has the details."""

    status: int
    code: str
    title: str
    message: str
    field: str | None = None
    incident: str | None = None
    retry_after: int | None = None

    @property
    def page(self) -> str:
        """The name of the page that tells it, where it has one of its own."""
        return "csrf-expired" if self.code == "csrf" else str(self.status)


# What the web server itself refuses: status -> (code, title, sentence with the next step).
_PLAIN: Mapping[int, tuple[str, str, str]] = {
    400: ("bad_request", "This request could not be read", "Go back, reload the page and send it again."),
    401: ("unauthorized", "Sign in first", "Sign in, then try again."),
    403: ("forbidden", "Not for this account", "Ask an administrator, or sign in with another account."),
    404: ("not_found", "There is nothing here", "The address is wrong, or what was here is gone. Nothing was changed."),
    405: ("method_not_allowed", "This cannot be done here", "Go back and use the buttons of the page."),
    413: ("too_large", "That is too large", ""),
    415: ("unsupported_media_type", "This kind of data is not understood", "Use the forms of the pages, or JSON."),
    416: ("range_not_satisfiable", "That part of the file does not exist", "Start the download again from the start."),
    429: ("limit_exceeded", "Too many tries", "Wait a little, then try again."),
}
_TITLES: Mapping[int, str] = {
    403: "Not for this account",
    404: "This is not here (any more)",
    409: "Something else happened meanwhile",
    413: "That is too large",
    422: "This cannot be used",
    429: "Too many tries",
    503: "Not available at the moment",
    507: "The disk is full",
}
_EXPIRED = (
    "The form was not sent, and nothing was changed: the page was open for so long, or you signed in elsewhere in "
    "between, that its key is no longer valid. Go back, reload the page and send it again."
)


def status_of(error: FramerrError) -> int:
    """The HTTP status of a category. A limit that waiting does not lift is about size."""
    if isinstance(error, LimitExceeded) and error.retry_after is None:
        return TOO_LARGE
    return next(status for kind, status in STATUS if isinstance(error, kind))


def install(app: Flask) -> None:
    """Answer every error in the shape that was asked for; number the requests, so that an answer leads to its lines."""
    app.before_request(_begin)
    app.before_request(_stay_on_this_host)
    app.teardown_request(_end)
    app.register_error_handler(FramerrError, lambda error: respond(problem_of(error)))
    app.register_error_handler(CSRFError, lambda _: respond(Problem(400, "csrf", "This form is out of date", _EXPIRED)))
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _incident)


def problem_of(error: FramerrError) -> Problem:
    """An error of ours in words for the person in front of the page."""
    status = status_of(error)
    wait = getattr(error, "retry_after", None)
    return Problem(
        status=status,
        code=error.code,
        title=_TITLES[status],
        message=error.message,
        field=error.field if isinstance(error, InvalidInput) else None,
        retry_after=_whole(wait),
    )


def respond(problem: Problem) -> Response:
    """The answer that tells `problem`, as a page, a fragment or JSON."""
    wanted = shape()
    if wanted == "json":
        response = jsonify(error=_as_json(problem))
    else:
        own = "_problem.html" if wanted == "fragment" else f"errors/{problem.page}.html"
        names: list[str | Template] = [own, "errors/other.html"]
        said = {"title": problem.title, "message": problem.message, "error_id": problem.incident}
        response = make_response(render_template(names, retry_after=problem.retry_after, **said))
    response.status_code = problem.status
    tell_wait(response, problem.retry_after)
    return response


def tell_wait(response: Response, seconds: float | None) -> None:
    """Say in `Retry-After` when trying again makes sense, where that is known."""
    whole = _whole(seconds)
    if whole is not None:
        response.headers["Retry-After"] = str(whole)


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, math.ceil(seconds))


def _as_json(problem: Problem) -> dict[str, str | int]:
    known = {"code": problem.code, "message": problem.message, "field": problem.field, "incident": problem.incident}
    return {name: value for name, value in known.items() if value is not None}


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    code, title, message = _PLAIN.get(status, ("refused", error.name, "Go back and try it another way."))
    if status == TOO_LARGE:
        message = _too_large()
    response = respond(Problem(status, code, title, message))
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _too_large() -> str:
    if request.endpoint in _PICTURE_FORMS:
        return "Pictures may have 8\u00a0MB. Choose a smaller file and send it again."
    most = size_in_words(int(current_app.config["MAX_CONTENT_LENGTH"]))
    return f"The body of this request is too large: at most {most} are accepted. Send less at once."


def _incident(error: Exception) -> Response:
    """What nobody expected: the traceback goes to the log, the page gets the id of the request under which it is there."""
    incident = request_id.get() or _number()
    log.error("request failed", exc_info=error, extra={"fields": {"method": request.method, "path": request.path}})
    return respond(
        Problem(
            status=500,
            code="internal",
            title="Something broke here",
            message=f"What was being saved is either wholly saved or not at all. The cause is in the log, under {incident}.",
            incident=incident,
        )
    )


def _number() -> str:
    incident = secrets.token_hex(4)
    request_id.set(incident)
    return incident


def _begin() -> None:
    _number()


def _stay_on_this_host() -> BaseResponse | None:
    """A path with a slash too few or too many leads to the right one, without the host that the request named: that is
    anybody's word.
    """
    wrong = request.routing_exception
    if not isinstance(wrong, RequestRedirect):
        return None
    parts = urlsplit(wrong.new_url)
    return redirect(urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, "")), wrong.code)


def _end(_error: BaseException | None) -> None:
    request_id.set(None)
