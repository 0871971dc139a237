"""`framerr config …`."""

from __future__ import annotations

import click

from framerr.cli import terminal
from framerr.core.config import options

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group("config")
def command() -> None:
    """Read and change the settings of the instance, or list what the environment decides.

    A setting is changed in the pages or here; what is deployed (port, folder, key) is an environment variable. Nothing
    is both.
    """


@command.command("list")
@as_json_option
def list_all(as_json: bool) -> None:
    """List every setting with its value."""
    found = terminal.perform("config.list")
    if as_json:
        terminal.print_json(found)
    else:
        terminal.table(
            [(str(one["key"]), str(one["value"]), str(one["help"])) for one in found], ("key", "value", "about")
        )


@command.command("get")
@click.argument("key")
@as_json_option
def get(key: str, as_json: bool) -> None:
    """Print the value of one setting."""
    found = terminal.perform("config.get", key=key)
    terminal.outcome(found, as_json, str(found["value"]))


@command.command("set")
@click.argument("key")
@click.argument("value")
@as_json_option
def set_one(key: str, value: str, as_json: bool) -> None:
    """Change one setting.

    \b
    Examples:
      framerr config set instance.time_zone Europe/Berlin
      framerr config set backups.max 14
    """
    changed = terminal.perform("config.set", key=key, value=value)
    terminal.outcome(changed, as_json, f"{changed['key']} is now {changed['value']}.")


@command.command("env")
@as_json_option
def env(as_json: bool) -> None:
    """List every environment variable that is read. Those marked _FILE can also come from a file: NAME_FILE=path."""
    rows = [(option.name, "_FILE" if option.secret else "", option.help) for option in options()]
    if as_json:
        terminal.print_json([{"name": name, "from_file": bool(file), "help": about} for name, file, about in rows])
    else:
        terminal.table(rows, ("variable", "", "about"))
