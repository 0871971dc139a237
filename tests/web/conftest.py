"""A whole appliance behind its pages, and the people who look at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from framerr.appliance import Appliance
from framerr.web import create_app
from tests.factories import appliance_in
from tests.web.people import PASSWORD, Visitor, add_person, copy_set_up

TEMPLATES = FileSystemBytecodeCache(mkdtemp(prefix="framerr-tests-"))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Appliance]:
    """An appliance that nobody set up."""
    with appliance_in(tmp_path) as built:
        yield built


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    """One that alice set up."""
    copy_set_up(tmp_path)
    with appliance_in(tmp_path) as built:
        yield built


@pytest.fixture
def app(appliance: Appliance) -> Flask:
    created = create_app(appliance)
    created.jinja_env.bytecode_cache = TEMPLATES  # compiled once for all tests of a process
    return created


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def administrator(app: Flask) -> Visitor:
    """alice, signed in."""
    return Visitor(app).sign_in("alice", PASSWORD)


@pytest.fixture
def editor(app: Flask, appliance: Appliance) -> Visitor:
    """erik, signed in."""
    add_person(appliance, "erik", "editor")
    return Visitor(app).sign_in("erik", PASSWORD)


@pytest.fixture
def viewer(app: Flask, appliance: Appliance) -> Visitor:
    """vera, signed in."""
    add_person(appliance, "vera", "viewer")
    return Visitor(app).sign_in("vera", PASSWORD)
