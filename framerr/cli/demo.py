"""`framerr demo`, and what `framerr serve --demo` fills an empty folder with."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping

import click

from framerr import server
from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.cli.rehearsal import main_job, sample
from framerr.core import config
from framerr.core.clock import utcnow
from framerr.core.config import Settings
from framerr.core.errors import Conflict
from framerr.core.files import atomic_write
from framerr.jobs import schedules
from framerr.setup import finish

FOLDER = "config.demo"
PASSWORD_FILE = "demo-password.txt"  # noqa: S105 - the name of a file


@click.command("demo")
@click.option(
    "--check", is_flag=True, help="No server to look at: do the main job in two temporary folders and compare."
)
def command(check: bool) -> int:
    """Start an appliance with sample data to look at; the same as 'framerr serve --demo'.

    With --check, the main job is done end to end without a screen: set up, fill, back up, restore into a second empty
    folder under another key, compare every table and file. Each step is printed; the first difference exits with 7.
    """
    if check:
        main_job.run(os.environ, click.echo)
        return 0
    return server.serve(settings(os.environ), fill=fill)


def settings(environ: Mapping[str, str]) -> Settings:
    """The settings of a demo: in ./config.demo unless a folder is named."""
    return config.load({"FRAMERR_CONFIG_DIR": FOLDER} | {name: text for name, text in environ.items() if text})


def fill(appliance: Appliance) -> None:
    """Fill an empty instance, and print how to sign in; one that was filled before keeps its password.

    Raises Conflict for an instance that is no demo.
    """
    path = appliance.paths.root / PASSWORD_FILE
    password = path.read_text(encoding="ascii").strip() if path.exists() else ""
    with appliance.db.reading() as session:
        is_set_up = users.count_users(session) > 0
    if is_set_up and not password:
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
    click.echo(f"\n  Framerr demo:  {address}\n  User name:     {sample.ADMINISTRATOR}\n  Password:      {password}")
    click.echo(f"  Next backup:   {_due(appliance)}\n")


def _due(appliance: Appliance) -> str:
    zone = appliance.zone()
    with appliance.db.reading() as session:
        schedule = schedules.get(session, finish.BACKUP)
    if schedule is None or schedule.next_due_at is None:
        return "none is scheduled"
    due = schedule.next_due_at.astimezone(zone)
    return f"{schedule.frequency}, next on {due:%A} at {due.hour % 12 or 12}:{due:%M %p} ({zone.key})"
