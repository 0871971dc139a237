"""`framerr reset-password USER`."""

from __future__ import annotations

import sys

import click

from framerr.cli import terminal
from framerr.core.errors import InvalidInput


@click.command("reset-password")
@click.argument("username")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the password from the first line of standard input.")
def command(username: str, from_stdin: bool) -> None:
    """Give a user a new password and end all their sessions.

    The password is asked for twice, or read from standard input; it is never an argument, since others on the machine
    could see it.

    \b
    Examples:
      framerr reset-password admin
      printf '%s\\n' "$NEW_PASSWORD" | framerr reset-password admin --stdin
    """
    password = _from_stdin() if from_stdin else _asked()
    done = terminal.perform("reset-password", username=username, password=password)
    ended = done["sessions_ended"]
    click.echo(
        f"{done['username']} has a new password. {ended} {'session was' if ended == 1 else 'sessions were'} ended."
    )


def _asked() -> str:
    answer = click.prompt("New password", hide_input=True, confirmation_prompt="Once more", err=True)
    return str(answer)


def _from_stdin() -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidInput("Standard input held no password. Give it as the first line.")
    return line
