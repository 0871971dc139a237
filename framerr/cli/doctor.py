"""`framerr doctor`."""

from __future__ import annotations

import click

from framerr.cli import terminal
from framerr.console import checks
from framerr.console.checks.finding import Finding
from framerr.core.clock import utcnow

EXIT = {"ok": 0, "warn": 0, "bad": 1}
MARKS = {"ok": "ok", "warn": "WARN", "bad": "BAD"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(as_json: bool) -> int:
    """Examine the folder, the key, the database, the backups and the clock, and say what to do.

    Reads only; works while the appliance runs, when it is stopped, and when it does not start. Exits with 1 when
    something is bad; a warning does not count.

    \b
    Examples:
      framerr doctor
      docker exec framerr framerr doctor --json
    """
    findings = checks.examine(terminal.settings(), utcnow())
    if as_json:
        terminal.print_json([finding.as_json() for finding in findings])
    else:
        _print(findings)
    return max(EXIT[finding.state] for finding in findings)


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        click.echo(f"{finding.check.ljust(width)}  {MARKS[finding.state].ljust(4)}  {finding.found}")
        if finding.advice:
            click.echo(f"{' ' * width}        → {finding.advice}")
    bad = sum(finding.state == "bad" for finding in findings)
    warned = sum(finding.state == "warn" for finding in findings)
    click.echo(f"{bad} bad, {warned} to look at." if bad or warned else "All is well.")
