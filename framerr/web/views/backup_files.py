"""Backups as files of a browser: fetching one, and sending one into the list."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request, url_for

from framerr.backups import folder
from framerr.core import uploads
from framerr.core.errors import Conflict
from framerr.core.uploads import Upload
from framerr.jobs import queue
from framerr.observability import audit
from framerr.web import access, current, files, htmx
from framerr.web.uploads import Came, owner_of_person
from framerr.web.views.backups import blueprint, refuse_while_locked

__all__ = ["blueprint"]
ADOPT = "adopt"
DOWNLOADED = "backup.downloaded"
CONTINUED_WITHIN = timedelta(days=1)


@blueprint.get("/<uid>/download")
@access.administrator
def download(uid: str) -> Response:
    """The file, whole or in parts (R-002-5); in the audit log each time it is begun.

    A part that begins later continues a download when the same person began one of this file within a day, which is
    not told again. Otherwise it is told too: all but the first byte is as good as all.
    """
    parts = current.appliance()
    with parts.db.reading() as session:
        row = folder.get(session, uid)
        path, name = folder.file_of(parts.paths, row), row.name
    response = files.send(path, name=name)
    if request.method == "GET" and response.status_code in {200, 206}:
        _tell(name, is_begin=not response.content_range.start)
    return response


@blueprint.get("/upload")
@access.administrator
def upload() -> Response:
    """Send a file into the list."""
    refuse_while_locked()
    return htmx.render("backups/upload.html", came=_came(), folder=current.appliance().paths.backups)


@blueprint.post("/upload/<uid>/remove")
@access.administrator
def remove_upload(uid: str) -> Response:
    """Forget a file that was sent."""
    found = _mine(uid)
    parts = current.appliance()
    with parts.db.reading() as session:
        if queue.open_run(session, ADOPT, found.uid):
            raise Conflict("This file is being checked. Remove it afterwards.")
    uploads.remove(parts.paths, found.uid)
    return htmx.go(url_for("backups.upload"))


@blueprint.post("/adopt")
@access.administrator
def adopt() -> Response:
    """Check an uploaded file and take it into the list, as a run."""
    refuse_while_locked()
    parts, asked_by = current.appliance(), current.person().username
    found = _mine(request.form.get("upload", ""))
    params = {"upload": uploads.path_of(parts.paths, found).name, "name": found.name}
    with parts.db.writing() as session:
        _, is_new = queue.enqueue(
            session, ADOPT, subject=found.uid, params=params, trigger="manual", requested_by=asked_by, now=current.now()
        )
        if is_new:
            current.record(session, "backup.uploaded", found.name)
    parts.lifecycle.wake()
    return htmx.go(url_for("backups.index"))


def _mine(uid: str) -> Upload:
    """Raises NotFound for an upload of somebody else, too."""
    owner = owner_of_person(current.person().uid)
    return uploads.load(current.appliance().paths, uid, owner=owner, now=current.now())


def _came() -> Came | None:
    """The newest whole file of this person that is not being checked already."""
    parts, owner = current.appliance(), owner_of_person(current.person().uid)
    with parts.db.reading() as session:
        for found in reversed(uploads.listing(parts.paths, owner=owner, now=current.now())):
            run = queue.latest(session, ADOPT, found.uid)
            if found.is_whole and not (run and run.is_open):
                return Came.of(found, (run.error or "") if run and run.state == "failed" else "")
    return None


def _tell(name: str, *, is_begin: bool) -> None:
    since = current.now() - CONTINUED_WITHIN
    with current.appliance().db.writing() as session:
        if is_begin or not audit.is_told(session, current.person().username, DOWNLOADED, name, since=since):
            current.record(session, DOWNLOADED, name)
