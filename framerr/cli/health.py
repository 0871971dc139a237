"""`framerr health`: what the container asks every half minute, so it loads little."""

from __future__ import annotations

import os

import click

from framerr.console.health import ask_ready
from framerr.core import config


@click.command("health")
def command() -> int:
    """Ask the running appliance whether it is ready.

    Exits with 0 when the database answers and the scheduler ticks, with 1 and a sentence when not. It is the
    container's HEALTHCHECK.
    """
    finding = ask_ready(config.load(os.environ))
    click.echo(finding or "ready")
    return 1 if finding else 0
