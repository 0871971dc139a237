"""One module per page family, each with a blueprint of that name; this is the list of them."""

from __future__ import annotations

from framerr.web import uploads
from framerr.web.views import (
    account,
    activity,
    auth,
    backup_restore,
    customization,
    health,
    home,
    integrations,
    reset,
    setup_restore,
)

BLUEPRINTS = (
    account.blueprint,
    activity.blueprint,
    auth.blueprint,
    backup_restore.blueprint,
    customization.blueprint,
    health.blueprint,
    home.blueprint,
    integrations.blueprint,
    reset.blueprint,
    setup_restore.blueprint,
    uploads.blueprint,
)
