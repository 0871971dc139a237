"""`framerr serve`."""

from __future__ import annotations

import os

import click

from framerr import server
from framerr.cli import demo
from framerr.core import config


@click.command("serve")
@click.option(
    "--demo", "as_demo", is_flag=True, help="Fill an empty folder with an administrator and sample data first."
)
def command(as_demo: bool) -> int:
    """Start the appliance and serve its pages on PORT (3001).

    Runs until it gets SIGTERM or SIGINT; running jobs are then brought to a safe point within
    FRAMERR_SHUTDOWN_GRACE seconds.

    \b
    Examples:
      framerr serve
      FRAMERR_CONFIG_DIR=~/framerr PORT=8080 framerr serve
      framerr serve --demo
    """
    settings = demo.settings(os.environ) if as_demo else config.load(os.environ)
    return server.serve(settings, fill=demo.fill if as_demo else None)
