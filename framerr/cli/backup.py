"""`framerr backup …`."""

from __future__ import annotations

import click

from framerr.cli import terminal
from framerr.core.files import size_in_words

HEADS = ("name", "type", "size", "state", "kept", "note")
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group("backup")
def command() -> None:
    """Make, list, verify, inspect and delete backups of the appliance.

    A backup holds the whole configuration with READABLE credentials: treat its file like a password. Backups lie in
    the folder backups below FRAMERR_CONFIG_DIR.
    """


@command.command("create")
@click.option("--note", default="", help="A word about it, for the list.")
@as_json_option
def create(note: str, as_json: bool) -> None:
    """Make a backup now, verify it, and print its name.

    One that is under way, or waits to be tried again, is joined instead; then it keeps its own type and note.

    \b
    Example:
      framerr backup create --note "before the move"
    """
    made = terminal.perform("backup.create", note=note)
    size = size_in_words(made["size"])
    sentence = f"{made['name']} was made and verified ({size}). It holds readable credentials."
    if made["joined"]:
        sentence += " It is the one that was under way, or waiting for its next try, already"
        sentence += ", so your note is not in it." if note else "."
    terminal.outcome(made, as_json, sentence)


@command.command("list")
@as_json_option
def list_all(as_json: bool) -> None:
    """List the backups, newest first."""
    found = terminal.perform("backup.list")
    if as_json:
        terminal.print_json(found)
    elif not found:
        click.echo("There is no backup yet. Make one with: framerr backup create")
    else:
        terminal.table([_row(one) for one in found], HEADS)


@command.command("verify")
@click.argument("name")
@as_json_option
def verify(name: str, as_json: bool) -> None:
    """Read a listed backup back in full and compare every file with its checksum. Exits with 7 when it is damaged."""
    verdict = terminal.perform("backup.verify", name=name)
    terminal.outcome(verdict, as_json, f"{name} is good. {verdict['sentence']}")


@command.command("inspect")
@click.argument("file")
@as_json_option
def inspect(file: str, as_json: bool) -> None:
    """Show what is inside a backup: FILE is a path, or a name from the list. Nothing is changed.

    \b
    Examples:
      framerr backup inspect framerr-manual-2026-03-10T12-00-00Z.zip
      framerr backup inspect ~/downloads/old.zip --json
    """
    found = terminal.perform("backup.inspect", file=terminal.file_or_name(file))
    if as_json:
        terminal.print_json(found)
    else:
        terminal.contents(found)


@command.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Delete a listed backup."""
    if not yes:
        click.confirm(f"Delete {name} for good?", abort=True, err=True)
    terminal.outcome(terminal.perform("backup.delete", name=name), as_json, f"{name} was deleted.")


def _row(one: dict[str, object]) -> tuple[str, ...]:
    kept = "pinned" if one["pinned"] else "never deleted" if one["type"] == "safety" else ""
    note = str(one["problem"] or one["note"])
    return str(one["name"]), str(one["type"]), size_in_words(int(str(one["size"]))), str(one["state"]), kept, note
