"""`framerr reset`."""

from __future__ import annotations

import click

from framerr.cli import terminal


@click.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(yes: bool, as_json: bool) -> None:
    """Return to the setup wizard: a safety backup is made first, then users, settings and integrations are gone.

    Backups stay where they are, and the safety backup brings everything back: framerr restore NAME.
    """
    if not yes:
        click.confirm("Remove all users, settings and integrations of this instance?", abort=True, err=True)
    result = terminal.perform("reset")
    terminal.outcome(result, as_json, str(result["sentence"]))
