"""The pages: the only room that knows HTTP and HTML.

Promise: whoever asks is recognised, allowed or refused in one place; every answer carries the same headers; every error
is a sentence. A view has five beats: who, load, parse, do, answer; what it changes in the database and the audit entry
about it are one transaction. The favicon is only a file: it is changed first and recorded right afterwards.
Prohibitions: no rule of the product is decided here, no file is opened but to send it, no time is read but in `current`.
"""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from framerr.appliance import Appliance
from framerr.core.errors import InvalidInput
from framerr.web import access, auth, csrf, current, errors, filters, headers, shell, static
from framerr.web.proxies import TrustedProxies
from framerr.web.views import BLUEPRINTS

# Forms carry pictures of 8 MB, uploads come in pieces of 8 MiB; the web server itself refuses bodies above 16 MiB.
MAX_BODY = 9 << 20


def create_app(appliance: Appliance) -> Flask:
    """The WSGI application of one appliance.

    Raises TypeError when a view does not declare its access, InvalidInput when the base path collides with a page,
    Unavailable when the cookie key cannot be read.
    """
    app = Flask(__name__, static_folder=None)
    app.extensions[current.EXTENSION] = appliance
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.jinja_env.undefined = StrictUndefined
    headers.install(app)
    errors.install(app)
    auth.install(app, appliance.paths)
    static.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    access.install(app)
    csrf.install(app)
    filters.install(app)
    shell.install(app)
    _behind_proxies(app, appliance)
    return app


def _behind_proxies(app: Flask, appliance: Appliance) -> None:
    base = appliance.settings.base_path
    if base and any(rule.rule == base or rule.rule.startswith(base + "/") for rule in app.url_map.iter_rules()):
        raise InvalidInput(f"FRAMERR_BASE_PATH {base} is also the address of a page. Choose another, such as /framerr.")
    proxied = TrustedProxies(app.wsgi_app, appliance.settings.trusted_proxies, base)
    app.wsgi_app = proxied  # type: ignore[method-assign]
