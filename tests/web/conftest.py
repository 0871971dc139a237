"""A whole appliance behind its pages, and the people who look at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from framerr.appliance import Appliance
from framerr.web import create_app
from tests.factories import appliance_in
from tests.web.people import PASSWORD, Visitor, add_person, set_up


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Appliance]:
    """An appliance that nobody set up."""
    with appliance_in(tmp_path) as built:
        yield built


@pytest.fixture
def appliance(empty: Appliance) -> Appliance:
    """One that alice set up."""
    set_up(empty)
    return empty


@pytest.fixture
def app(appliance: Appliance) -> Flask:
    return create_app(appliance)


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
