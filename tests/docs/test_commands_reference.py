"""docs/cli.md is what the commands say of themselves."""

from __future__ import annotations

from framerr.cli import COMMANDS
from tests.docs.reference import DOCS, commands_page

PAGE = (DOCS / "cli.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_commands_say() -> None:
    assert commands_page() == PAGE, "Write the page anew with: python -m tests.docs.reference"


def test_every_command_has_its_part() -> None:
    parts = {line.removeprefix("## framerr ") for line in PAGE.splitlines() if line.startswith("## framerr ")}
    assert set(COMMANDS) <= parts
