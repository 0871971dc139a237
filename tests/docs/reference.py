"""The reference pages of docs/, made from what the code declares. Write them with `python -m tests.docs.reference`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from framerr import cli
from framerr.core.config import Option, Settings
from framerr.settings.schema import SETTINGS, Declaration

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = "<!-- Written by `python -m tests.docs.reference` from the code; edit it there. -->\n"
WIDTH = 100


def settings_page() -> str:
    """docs/settings.md."""
    return f"""{WRITTEN}
# Settings

What an administrator changes while the appliance runs is a *setting*; what is decided where it is deployed is an
*environment variable*. Nothing is both. Settings travel with a backup, environment variables do not.

## Settings of the instance

Changed in the pages under Settings, or with `framerr config set KEY VALUE`. A value outside its range is refused; one
that a restored backup brings along counts as absent, and the default holds.

{_table(("setting", "values", "default", "what"), map(_setting, SETTINGS))}

## Environment variables

Read once at start and checked together: each fault is named in a sentence, and nothing starts on a wrong value.
An empty variable counts as absent. A variable marked *file* can come from a file instead, named by `NAME_FILE`; both at
once are refused. `framerr config env` prints this list for the version that runs.

{_table(("variable", "values", "default", "what"), map(_variable, fields(Settings)))}
"""


def commands_page() -> str:
    """docs/cli.md."""
    return f"""{WRITTEN}
# The `framerr` command

What each command says of itself with `--help`. In a container: `docker exec framerr framerr …`. A command does its work
in the running process when there is one, and on the folder itself when there is none.

{"".join(_commands(cli.group, None, "framerr"))}"""


PAGES = {"settings.md": settings_page, "cli.md": commands_page}


def _setting(known: Declaration) -> tuple[str, ...]:
    return f"`{known.key}`", _range(known), f"`{known.default}`", f"**{known.label}.** {known.help}"


def _range(known: Declaration) -> str:
    match known.kind:
        case "text":
            return f"{known.low} to {known.high} characters"
        case "whole":
            return f"{known.low} to {known.high}"
        case "choice":
            return "; ".join(f"`{value}`: {label}" for value, label in known.choices)
        case "zone":
            return "a name such as `Europe/Berlin`"


def _variable(field: Any) -> tuple[str, ...]:
    option: Option = field.metadata["option"]
    name = f"`{option.name}`" + (" *file*" if option.secret else "")
    default = "" if field.default in (None, "", ()) else f"`{field.default}`"
    return name, _refusal(option), default, option.help


def _refusal(option: Option) -> str:
    """What the program says to a value that it cannot use tells what it can use; some take any text."""
    try:
        option.parse("?")
    except ValueError as error:
        return re.sub("^must (be|look like) ", "", str(error).partition(": '?'")[0])
    return "text"


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _commands(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    size = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, parent=parent, info_name=name, **size, **command.context_settings)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n\n"
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from _commands(found, context, below)


if __name__ == "__main__":
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
