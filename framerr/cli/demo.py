"""`framerr serve --demo` and `framerr demo`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import click

from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.cli import sample
from framerr.core import config
from framerr.core.clock import utcnow
from framerr.core.config import Settings
from framerr.core.errors import Conflict
from framerr.core.files import atomic_write

FOLDER = "config.demo"
PASSWORD_FILE = "demo-password.txt"  # noqa: S105 - the name of a file


def settings(environ: Mapping[str, str]) -> Settings:
    """The settings of a demo: in ./config.demo unless a folder is named."""
    return config.load({"FRAMERR_CONFIG_DIR": FOLDER} | {name: text for name, text in environ.items() if text})


def fill(appliance: Appliance) -> None:
    """Fill an empty instance, and print how to sign in; one that was filled before keeps its password.

    Raises Conflict for an instance that is no demo.
    """
    path = appliance.paths.root / PASSWORD_FILE
    password = sample.remembered_password(path)
    with appliance.db.reading() as session:
        is_set_up = users.count_users(session) > 0
    if is_set_up and password is None:
        raise Conflict(
            f"{appliance.paths.root} is not a demo: it has users of its own. Name another folder in FRAMERR_CONFIG_DIR, "
            "or leave --demo away."
        )
    if not is_set_up:
        password = password or secrets.token_urlsafe(12)
        atomic_write(path, password.encode() + b"\n")
        click.echo("Filling the demo with sample data and a first backup …")
        sample.fill(appliance, password, utcnow())
    address = f"http://localhost:{appliance.settings.port}{appliance.settings.base_path}"
    click.echo(f"\n  Framerr demo:  {address}\n  User name:     {sample.ADMINISTRATOR}\n  Password:      {password}\n")
