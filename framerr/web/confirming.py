"""Asking a signed-in person for the password again, before something dangerous."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from framerr.accounts import sessions
from framerr.core.errors import Forbidden, LimitExceeded
from framerr.web import auth, current, errors
from framerr.web.forms import Form

Page = Callable[[Form, int], Response]


def refusal(form: Form, page: Page, field: str = "password") -> Response | None:
    """None when everything in `form` is right and `field` holds the password of whoever is signed in.

    Otherwise `page` with the form, which says beside each field what is wrong, and the status: 422, or 429 with
    `Retry-After` when there were too many tries. A password is only looked at when the rest of the form is right.
    """
    password = form.secret(field, need="Type your password.")
    if not form.ok:
        return page(form, 422)
    try:
        name = current.person().username
        sessions.confirm(current.appliance().db, name, password, address=current.address(), now=current.now())
    except Forbidden:
        form.fail(field, "This is not your password. Try again.")
        return page(form, 422)
    except LimitExceeded as error:
        auth.record_waiting()
        form.fail(field, error.message)
        response = page(form, 429)
        errors.tell_wait(response, error.retry_after)
        return response
    return None
