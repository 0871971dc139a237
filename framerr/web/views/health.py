"""Whether the process lives, and whether it can work. Both without signing in, before setup and after."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from framerr.core.errors import FramerrError
from framerr.web import access, current

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@access.anyone
def live() -> Response:
    """The process answers. Touches nothing else, so a full disk does not make a supervisor kill the appliance."""
    return jsonify(status="alive")


@blueprint.get("/health/ready")
@access.anyone
def ready() -> tuple[Response, int]:
    """The database answers and what else was registered with the lifecycle is well; 503 with the reasons otherwise."""
    reasons = current.appliance().lifecycle.not_ready()
    try:
        with current.appliance().db.reading() as session:
            session.execute(text("SELECT 1"))
    except FramerrError as error:
        reasons["database"] = error.message
    return jsonify(status="not ready" if reasons else "ready", reasons=reasons), 503 if reasons else 200
