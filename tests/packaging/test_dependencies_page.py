"""docs/dependencies.md lists every dependency, and nothing that is gone."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGE = (ROOT / "docs" / "dependencies.md").read_text()


def rows(title: str) -> list[str]:
    """The first cells of the table under `title`."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][1:]


def names(requirements: list[str]) -> set[str]:
    return {Requirement(text).name for text in requirements}


def test_every_dependency_has_its_line() -> None:
    assert set(rows("At run time")) == names(PROJECT["project"]["dependencies"])


def test_every_tool_has_its_line() -> None:
    groups = PROJECT["dependency-groups"]
    listed = [entry for group in groups.values() for entry in group if isinstance(entry, str)]
    assert set(rows("For building and checking")) == names(listed)


def test_what_comes_along_is_named() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    sentence = PAGE.split("Brought along by these: ")[1].split(". All under")[0]
    assert set(re.split(r",\s+", sentence)) == locked - names(PROJECT["project"]["dependencies"])


def test_every_library_in_the_pages_has_its_line_and_its_licence() -> None:
    folders = [path for path in (ROOT / "static" / "vendor").iterdir() if path.is_dir()]
    assert set(rows("In the pages")) == {" ".join(path.name.rsplit("-", 1)) for path in folders}
    assert [path.name for path in folders if not (path / "LICENSE").is_file()] == []
