"""Backups as files of a browser: fetching one, and sending one into the list."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request, url_for

from framerr.backups import folder
from framerr.core import uploads
from framerr.jobs import queue
from framerr.observability import audit
from framerr.web import access, current, files, htmx
from framerr.web.uploads import owner_of_person
from framerr.web.views.backups import blueprint, refuse_while_locked

__all__ = ["blueprint"]
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
    parts = current.appliance()
    owner = owner_of_person(current.person().uid)
    whole = [one for one in uploads.listing(parts.paths, owner=owner, now=current.now()) if one.is_whole]
    return htmx.render("backups/upload.html", came=whole[-1] if whole else None, folder=parts.paths.backups)


@blueprint.post("/adopt")
@access.administrator
def adopt() -> Response:
    """Check an uploaded file and take it into the list, as a run."""
    refuse_while_locked()
    parts, found = current.appliance(), current.person()
    came = uploads.load(
        parts.paths, request.form.get("upload", ""), owner=owner_of_person(found.uid), now=current.now()
    )
    params = {"upload": uploads.path_of(parts.paths, came).name, "name": came.name}
    with parts.db.writing() as session:
        _, is_new = queue.enqueue(
            session, "adopt", subject=came.uid, params=params, trigger="manual", requested_by=found.username,
            now=current.now(),
        )  # fmt: skip
        if is_new:
            current.record(session, "backup.uploaded", came.name)
    parts.lifecycle.wake()
    return htmx.go(url_for("backups.index"))


def _tell(name: str, *, is_begin: bool) -> None:
    since = current.now() - CONTINUED_WITHIN
    with current.appliance().db.writing() as session:
        if is_begin or not audit.is_told(session, current.person().username, DOWNLOADED, name, since=since):
            current.record(session, DOWNLOADED, name)
