"""A real database in a prepared folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framerr.core.db import Base, Database
from framerr.core.paths import Paths
from framerr.observability import models  # noqa: F401 - its tables are created below


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    prepared = Paths(tmp_path / "config")
    prepared.prepare()
    return prepared


@pytest.fixture
def db(paths: Paths) -> Iterator[Database]:
    opened = Database(paths.database)
    Base.metadata.create_all(opened.engine)
    yield opened
    opened.close()
