"""One module per page family, each with a blueprint of that name; this is the list of them."""

from __future__ import annotations

from framerr.web.views import account, activity, auth, customization, health, home, integrations, reset

BLUEPRINTS = (
    account.blueprint,
    activity.blueprint,
    auth.blueprint,
    customization.blueprint,
    health.blueprint,
    home.blueprint,
    integrations.blueprint,
    reset.blueprint,
)
