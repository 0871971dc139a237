"""Uploads in pieces: tus 1.0 (core, creation, termination, expiration) over `core.uploads`, at /api/1/uploads.

Promise: what arrived stays, whatever breaks off; a piece goes straight to its place on the disk, without a second copy.
Before setup there is one upload at a time, for a browser that gave the setup code; afterwards administrators only, each
their own. What becomes of a whole file is the business of the pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime

from flask import Blueprint, Response, request, url_for

from framerr.core import uploads
from framerr.core.errors import InvalidInput
from framerr.core.uploads import Upload
from framerr.web import access, current, errors, wizard
from framerr.web.errors import Problem
from framerr.web.tus import VERSION, metadata, whole_number

blueprint = Blueprint("uploads", __name__, url_prefix="/api/1/uploads")
CONTENT_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,termination,expiration"
_GIGABYTE = 10**9


@blueprint.before_request
def _same_version() -> Response | None:
    """412 for another version of the protocol; asking for the version itself needs none."""
    if request.method == "OPTIONS" or request.headers.get("Tus-Resumable") == VERSION:
        return None
    return errors.respond(
        Problem(412, "wrong_version", "Another version", f"Uploads speak tus {VERSION}. Send Tus-Resumable: {VERSION}.")
    )


@blueprint.after_request
def _protocol(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    if response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    return response


@blueprint.errorhandler(413)
def _piece_too_large(_error: Exception) -> Response:
    return errors.respond(Problem(413, "too_large", "That is too large", "Send pieces of at most 8 MB."))


@blueprint.route("", methods=["OPTIONS"], provide_automatic_options=False)
@access.setup_or_administrator
def describe() -> Response:
    """What this server can do, and the largest file it takes."""
    response = Response(status=204)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Max-Size"] = str(_limit())
    return response


@blueprint.post("", provide_automatic_options=False)
@access.setup_or_administrator
def create() -> Response:
    """Announce a file. In the wizard it takes the place of the one before."""
    length = whole_number(request.headers.get("Upload-Length"), "Upload-Length")
    name = metadata(request.headers.get("Upload-Metadata", "")).get("filename", "backup.zip")
    owner = _owner()
    if owner == wizard.UPLOADS_OWNER:
        with wizard.memory().one_upload:
            upload = _announce(length, name, owner)
            _remove_others(upload)
    else:
        upload = _announce(length, name, owner)
    response = _answer(201, upload)
    response.headers["Location"] = url_for("uploads.head", uid=upload.uid)
    return response


@blueprint.route("/<uid>", methods=["HEAD"], provide_automatic_options=False)
@access.setup_or_administrator
def head(uid: str) -> Response:
    """How much of a file is here."""
    upload = _mine(uid)
    response = _answer(200, upload)
    response.headers["Upload-Length"] = str(upload.length)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.patch("/<uid>", provide_automatic_options=False)
@access.setup_or_administrator
def append(uid: str) -> Response:
    """Take the next piece. 409 when it is for another place than where the file ends."""
    if request.mimetype != CONTENT_TYPE:
        return errors.respond(Problem(415, "wrong_type", "Another kind of data", f"Send pieces as {CONTENT_TYPE}."))
    upload = _mine(uid)
    offset = whole_number(request.headers.get("Upload-Offset"), "Upload-Offset")
    if request.content_length is None:
        raise InvalidInput("The length of the piece is missing. Send Content-Length.")
    paths = current.appliance().paths
    return _answer(204, uploads.append(paths, upload, offset, request.stream, size=request.content_length))


@blueprint.delete("/<uid>", provide_automatic_options=False)
@access.setup_or_administrator
def remove(uid: str) -> Response:
    """Forget a file and what arrived of it."""
    uploads.remove(current.appliance().paths, _mine(uid).uid)
    return Response(status=204)


@blueprint.post("/<uid>", provide_automatic_options=False)
@access.setup_or_administrator
def overridden(uid: str) -> Response:
    """PATCH and DELETE for clients behind something that lets neither through."""
    match request.headers.get("X-HTTP-Method-Override"):
        case "PATCH":
            return append(uid)
        case "DELETE":
            return remove(uid)
        case _:
            raise InvalidInput("Send X-HTTP-Method-Override: PATCH or DELETE.")


@dataclass(frozen=True)
class Came:
    """A whole file that was sent; `refusal` says why it cannot be used, or is the empty text."""

    uid: str
    name: str
    size: int
    refusal: str

    @classmethod
    def of(cls, upload: Upload, refusal: str) -> Came:
        return cls(upload.uid, upload.name, upload.length, refusal)


def owner_of_person(uid: str) -> str:
    """The owner of the uploads of an administrator."""
    return f"user:{uid}"


def _owner() -> str:
    if access.is_set_up():
        return owner_of_person(current.person().uid)
    wizard.require_code()
    return wizard.UPLOADS_OWNER


def _mine(uid: str) -> Upload:
    """Raises NotFound for an upload that is somebody else's, too."""
    return uploads.load(current.appliance().paths, uid, owner=_owner(), now=current.now())


def _announce(length: int, name: str, owner: str) -> Upload:
    paths = current.appliance().paths
    return uploads.create(paths, length=length, name=name, owner=owner, limit=_limit(), now=current.now())


def _remove_others(kept: Upload) -> None:
    paths = current.appliance().paths
    for other in uploads.listing(paths, owner=kept.owner, now=current.now()):
        if other.uid != kept.uid:
            uploads.remove(paths, other.uid)


def _limit() -> int:
    return current.appliance().settings.archive_limit_gb * _GIGABYTE


def _answer(status: int, upload: Upload) -> Response:
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(upload.offset)
    response.headers["Upload-Expires"] = format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)
    return response
