"""What the log says once at every boot: whether the instance is locked, and how to reach the wizard."""

from __future__ import annotations

import logging

from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.setup import code

log = logging.getLogger(__name__)


def say(appliance: Appliance) -> None:
    """Warn when locked; print the setup code while there is no user. Raises DiskFull or Unavailable."""
    if appliance.locked:
        log.warning("Locked: %s", appliance.locked)
    with appliance.db.reading() as session:
        is_set_up = users.count_users(session) > 0
    if is_set_up:
        return
    found = code.load_or_make(appliance.paths, appliance.settings.setup_code)
    log.info("This instance is not set up yet. Open it in a browser: the setup wizard is there.")
    if found is not None:
        log.info("Setup code: %s (also in %s)", found.text, appliance.paths.setup_code)
