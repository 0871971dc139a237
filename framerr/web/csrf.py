"""Forged requests: every POST, PUT, PATCH and DELETE carries a token that only our pages know.

Forms send it as `csrf_token`, htmx and uploads as the header `X-CSRFToken`. It holds as long as the browser's session.
"""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect


def install(app: Flask) -> None:
    """Refuse what comes without the token, with a sentence (`web.errors`)."""
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a page may stay open over the weekend
    # The token alone decides: comparing the Referer with the host breaks behind proxies that rewrite it.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    app.config["WTF_CSRF_HEADERS"] = ["X-CSRFToken"]
    CSRFProtect(app)
