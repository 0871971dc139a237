"""The README says what an owner must know, and points at nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import framerr

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_it_tells_to_mount_config_on_persistent_storage() -> None:
    """R-002-43."""
    assert "**Mount `/config` on persistent storage.**" in README
    assert re.search(r"docker run [^`]*-v \S+:/config", README)


def test_it_tells_to_treat_backups_like_passwords() -> None:
    """R-002-26."""
    caution = README.split("**Treat backup files like passwords.**")[1].split("\n\n")[0].replace("\n> ", " ")
    for words in ("plain text", "API keys, tokens, passwords", "Do not share it", "anywhere you do not trust"):
        assert re.sub(r"\*\*", "", caution).count(words) == 1, words


def test_it_says_what_a_backup_leaves_out() -> None:
    """R-002-24."""
    left_out = README.split("Not in a backup, because")[1].split("\n\n")[0]
    for words in ("sessions", "push", "notifications", "service monitors", "media"):
        assert words in left_out, words


def test_every_path_it_names_exists() -> None:
    linked = re.findall(r"\]\(([^):#]+)\)", README)
    commands = re.findall(r"\b(scripts/[a-z-]+)", README)
    assert [path for path in {*linked, *commands} if not (ROOT / path).exists()] == []


def test_the_changelog_speaks_of_this_version() -> None:
    assert re.search(rf"^## {re.escape(framerr.__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
