"""The wizard's way back: which archive, what is inside, restoring (R-002-27, R-002-30)."""

from __future__ import annotations

from pathlib import Path

from flask import Response, request, url_for

from framerr.backups import folder
from framerr.core import uploads
from framerr.core.errors import NotFound
from framerr.jobs import queue
from framerr.setup import finish, steps
from framerr.web import access, current, filters, htmx, inside, inspections, restores, wizard
from framerr.web.uploads import Came
from framerr.web.views.setup import blueprint, page, wait_your_turn

__all__ = ["blueprint"]
REQUESTED_BY = "setup"
SHOWN = 5


@blueprint.get("/restore")
@access.setup_only
def upload() -> Response:
    """Send a file, or take one that lies in the backups folder."""
    turn = wait_your_turn("upload", "restore")
    if turn is not None:
        return turn
    found, unseen = restores.found_here()
    return page(
        "upload", "upload", "restore", found=found, unseen=unseen, came=_came(), came_back=restores.last_return(),
        folder=current.appliance().paths.backups, zone=filters.zone(), shown=None if request.args.get("all") else SHOWN,
    )  # fmt: skip


@blueprint.get("/restore/<source>/<uid>")
@access.setup_only
def inspect(source: str, uid: str) -> Response:
    """What is inside. The page is there at once; reading and checking is shown while it lasts. Nothing is written."""
    turn = wait_your_turn("contents", "restore")
    if turn is not None:
        return turn
    path, name, _ = _source(source, uid)
    looked = inspections.look(path)
    shown = inside.view(looked.found, name, filters.in_zone) if looked.found else None
    here, another = url_for("setup.inspect", source=source, uid=uid), url_for("setup.upload")
    if htmx.wants_fragment():
        return restores.fragment(looked, name, here, another)
    return page("inspect", "contents", "restore", looked=looked, inside=shown, name=name, address=here, another=another)


@blueprint.post("/restore/<source>/<uid>")
@access.setup_only
def restore(source: str, uid: str) -> Response:
    """Begin. Whoever asks twice sees the one that runs."""
    turn = wait_your_turn("contents", "restore")
    if turn is not None:
        return turn
    _, name, params = _source(source, uid)
    with current.appliance().db.writing() as session:
        finish.check_unused(session)
        run = restores.begin(session, params, name, REQUESTED_BY)
    current.appliance().lifecycle.wake()
    return htmx.go(url_for("setup.restoring", uid=run.uid))


@blueprint.post("/restore/upload/<uid>/remove")
@access.setup_only
def remove_upload(uid: str) -> Response:
    """Forget a file that was sent."""
    turn = wait_your_turn("upload", "restore")
    if turn is not None:
        return turn
    paths = current.appliance().paths
    uploads.remove(paths, uploads.load(paths, uid, owner=wizard.UPLOADS_OWNER, now=current.now()).uid)
    return htmx.go(url_for("setup.upload"))


@blueprint.get("/restoring/<uid>")
@access.setup_only
def restoring(uid: str) -> Response:
    """How it goes, until the restart; the script of the page leads on to the login."""
    if not wizard.is_code_proven():
        return htmx.go(url_for("setup.index"))
    with current.appliance().db.reading() as session:
        going, restarting = restores.going(session, uid), restores.restarting(session, uid)
    dots = steps.position("restoring", wizard.facts("restore"))
    again, cancel = url_for("setup.upload"), url_for("setup.cancel", uid=uid)
    template = "backups/_restoring.html" if htmx.wants_fragment() else "setup/restoring.html"
    return htmx.render(template, going=going, restarting=restarting, dots=dots, again=again, cancel=cancel)


@blueprint.post("/restoring/<uid>/cancel")
@access.setup_only
def cancel(uid: str) -> Response:
    """Stop it at its next safe point; nothing was changed then."""
    wizard.require_code()
    with current.appliance().db.writing() as session:
        run = queue.request_cancel(session, uid, current.now())
        current.record(session, "run.cancel_requested", run.kind, run.uid)
    return htmx.go(url_for("setup.restoring", uid=uid))


def _came() -> Came | None:
    """The one upload of the wizard, once it is whole."""
    paths = current.appliance().paths
    found = [one for one in uploads.listing(paths, owner=wizard.UPLOADS_OWNER, now=current.now()) if one.is_whole]
    return Came.of(found[-1], inspections.refusal(uploads.path_of(paths, found[-1]))) if found else None


def _source(source: str, uid: str) -> tuple[Path, str, dict[str, str]]:
    """The file, its name for people, and the parameters of a restore. Raises NotFound, Conflict for half an upload."""
    parts = current.appliance()
    if source == "upload":
        found = uploads.load(parts.paths, uid, owner=wizard.UPLOADS_OWNER, now=current.now())
        path = uploads.path_of(parts.paths, found)
        return path, found.name, {"upload": path.name}
    with parts.db.reading() as session:
        row = folder.get(session, uid)
        path = folder.file_of(parts.paths, row)
        if row.state == "foreign" or source != "backup":
            raise NotFound("This is not a backup that can be restored here. Choose another.")
        return path, row.name, {"backup": uid}
