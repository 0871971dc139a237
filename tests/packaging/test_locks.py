"""The lock files: whole, hashed, and silent about where packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")


def pinned(lock: str) -> dict[str, tuple[Version, int]]:
    """Name to version and number of hashes."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    found: dict[str, tuple[Version, int]] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement = Requirement(line.partition("--hash")[0].strip())
            (exact,) = requirement.specifier
            assert exact.operator == "=="
            found[requirement.name] = (Version(exact.version), line.count("--hash=sha256:"))
    return found


def named(*requirements: object) -> list[Requirement]:
    return [Requirement(text) for text in requirements if isinstance(text, str)]


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_in_a_lock_has_a_hash(lock: str) -> None:
    without = [name for name, (_, hashes) in pinned(lock).items() if hashes == 0]
    assert without == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"//|--index|--extra-index|--find-links|--trusted-host|@ ", text) == []


def test_the_lock_satisfies_the_project() -> None:
    versions = pinned("requirements.lock")
    for requirement in named(*PROJECT["project"]["dependencies"]):
        version, _ = versions[requirement.name]
        assert version in requirement.specifier, requirement


def test_the_development_lock_holds_what_development_asks_for() -> None:
    versions = pinned("requirements-dev.lock")
    groups = PROJECT["dependency-groups"]
    for requirement in named(*groups["dev"], *groups["build"]):
        version, _ = versions[requirement.name]
        assert version in requirement.specifier, requirement


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-build.lock"])
def test_what_is_tested_is_what_is_shipped(lock: str) -> None:
    shipped, tested = pinned(lock), pinned("requirements-dev.lock")
    assert {name: tested[name][0] for name in shipped} == {name: version for name, (version, _) in shipped.items()}
