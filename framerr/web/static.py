"""Static files under an address that changes with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, url_for
from werkzeug.exceptions import NotFound

from framerr.core.paths import static_folder
from framerr.web import access, files

_FOR_EVER = "public, max-age=31536000, immutable"


class StaticFiles:
    """The files below `folder`, and one digest over all of them: relative links between them stay true."""

    def __init__(self, folder: Path) -> None:
        self._paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        digest = hashlib.sha256()
        for name, path in sorted(self._paths.items()):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a static file. Raises KeyError for one that does not exist: a page must not link to it."""
        if name not in self._paths:
            raise KeyError(f"There is no static file {name!r}.")
        return url_for("static", version=self.version, name=name)

    @access.anyone
    def send(self, version: str, name: str) -> Response:
        """The file: kept for ever under its own version, checked each time under the version of an older page.

        Raises NotFound for every name that was not there at the start, so no path leads out of the folder.
        """
        if name not in self._paths:
            raise NotFound
        return files.send(self._paths[name], cache=_FOR_EVER if version == self.version else "no-cache")


def install(app: Flask) -> None:
    """Serve the files, and give templates `static_url(name)`."""
    found = StaticFiles(static_folder())
    app.add_url_rule("/static/<version>/<path:name>", "static", found.send)
    app.jinja_env.globals["static_url"] = found.url
