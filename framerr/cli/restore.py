"""`framerr restore FILE`."""

from __future__ import annotations

import click

from framerr.cli import terminal


@click.command("restore")
@click.argument("file")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(file: str, yes: bool, as_json: bool) -> None:
    """Bring back a backup: FILE is a path, or a name from 'framerr backup list'.

    Shows what is inside and asks. Then a safety backup of the present state is made, the archive is unpacked and
    checked beside it, and the whole state is exchanged in one step: at once when the appliance is stopped, by a restart
    when it runs. Everybody signs in again, with the passwords of the backup. If the restored state does not come up,
    the previous one returns by itself.

    \b
    Examples:
      framerr restore framerr-scheduled-2026-03-10T04-00-00Z.zip
      framerr restore /mnt/usb/framerr-manual-2026-03-10T12-00-00Z.zip --yes
    """
    source = terminal.file_or_name(file)
    found = terminal.perform("backup.inspect", file=source)
    if not as_json:
        terminal.contents(found)
    if not yes:
        click.confirm("\nReplace everything here with it?", abort=True, err=True)
    result = terminal.perform("restore", file=source)
    terminal.outcome(result, as_json, str(result["sentence"]))
