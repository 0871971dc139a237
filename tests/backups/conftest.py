"""A filled instance for the stories of this room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from framerr.appliance import Appliance
from tests.backups.filled import fill
from tests.factories import appliance_in


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled instance that nobody runs; copy it."""
    folder = tmp_path_factory.mktemp("filled")
    with appliance_in(folder) as appliance:
        fill(appliance)
    return folder


@pytest.fixture
def filled(filled_folder: Path, tmp_path: Path) -> Iterator[Appliance]:
    """An instance with something in every table and folder."""
    shutil.copytree(filled_folder, tmp_path / "old")
    with appliance_in(tmp_path / "old") as appliance:
        yield appliance
