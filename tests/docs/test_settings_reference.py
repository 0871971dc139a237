"""docs/settings.md says what the code declares: a setting or variable without its line fails here."""

from __future__ import annotations

from framerr.core.config import options
from framerr.settings.schema import SETTINGS
from tests.docs.reference import DOCS, settings_page

PAGE = (DOCS / "settings.md").read_text(encoding="utf-8")
AGAIN = "Write the page anew with: python -m tests.docs.reference"


def test_the_page_is_what_the_code_declares() -> None:
    assert settings_page() == PAGE, AGAIN


def test_every_setting_and_variable_has_its_line() -> None:
    first = [line.split("|")[1].split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert first == [known.key for known in SETTINGS] + [option.name for option in options()]


def test_what_can_come_from_a_file_is_marked() -> None:
    marked = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `") and "` *file* |" in line]
    assert marked == [option.name for option in options() if option.secret]
