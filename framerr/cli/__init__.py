"""The commands. Promise: a person reads sentences, a program reads exit codes and --json, nobody reads a traceback.

Prohibitions: holds no rule of the product; a command asks `console`, `server` or a room and prints what it hears.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

import framerr
from framerr.core.errors import (
    Cancelled,
    Conflict,
    Corrupt,
    Forbidden,
    FramerrError,
    Incompatible,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Unavailable,
)

# The one table from category to exit code; the epilog below shows it.
EXIT_CODES: dict[type[FramerrError], tuple[int, str]] = {
    FramerrError: (1, "something unexpected"),
    InvalidInput: (2, "wrong usage, or a value that cannot be used"),
    NotFound: (3, "what was named does not exist"),
    Forbidden: (4, "not allowed"),
    Conflict: (5, "in use, or something else is under way"),
    LimitExceeded: (6, "too much, too big or too often"),
    Corrupt: (7, "damaged data"),
    Unavailable: (8, "a disk, a port or the appliance does not answer; or the disk is full"),
    Incompatible: (9, "made by a version that this one cannot work with"),
    Cancelled: (10, "cancelled"),
}

# Command to the module that holds it: a health check need not load what a server needs.
COMMANDS = {
    "serve": "framerr.cli.serve",
    "health": "framerr.cli.health",
    "doctor": "framerr.cli.doctor",
    "backup": "framerr.cli.backup",
    "restore": "framerr.cli.restore",
    "reset": "framerr.cli.reset",
    "reset-password": "framerr.cli.password",
    "config": "framerr.cli.config",
    "demo": "framerr.cli.demo",
}


def exit_code(error: FramerrError) -> int:
    """The code of the nearest category in the table."""
    return next(EXIT_CODES[kind][0] for kind in type(error).__mro__ if kind in EXIT_CODES)


def _epilog() -> str:
    codes = "\n".join(f"  {code:>2}  {words}" for code, words in sorted(EXIT_CODES.values()))
    return (
        "\b\nExamples:\n"
        "  framerr serve                       start the appliance\n"
        "  framerr backup create               make and verify a backup now\n"
        "  framerr restore framerr-manual.zip  bring back a backup\n"
        "  framerr doctor                      find out what is wrong and what to do\n"
        f"\n\b\nExit codes:\n   0  done\n{codes}\n"
        "\n\b\nCommands work on the folder in FRAMERR_CONFIG_DIR (default /config), whether\n"
        "the appliance runs or not. 'framerr config env' lists every such setting."
    )


class Commands(click.Group):
    """A group whose commands are loaded when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the signature is click's
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


@click.command(cls=Commands, epilog=_epilog(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(framerr.__version__, prog_name="framerr")
def group() -> None:
    """Framerr: a time machine for Framer sites that you host yourself."""


def run(arguments: Sequence[str]) -> int:
    """Do one command and say how it ended. Errors are printed as their sentence."""
    try:
        code = group.main(list(arguments), prog_name="framerr", standalone_mode=False)
    except FramerrError as error:
        click.echo(error.message, err=True)
        return exit_code(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code if isinstance(error, click.UsageError) else EXIT_CODES[InvalidInput][0]
    except (click.Abort, KeyboardInterrupt):
        click.echo("Cancelled.", err=True)
        return EXIT_CODES[Cancelled][0]
    except BrokenPipeError:  # `framerr config list | head`: the reader has enough; leave nothing for exit to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point `framerr`."""
    sys.exit(run(sys.argv[1:]))
