"""A real database with the tables of the jobs room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framerr.core.db import Base, Database
from framerr.jobs import models  # noqa: F401 - its tables are created below


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "framerr.db")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()
