"""Real parts for tests: settings, prepared folders and built appliances below a temporary folder."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from framerr.appliance import Appliance, build, database
from framerr.core import config
from framerr.core.config import Settings
from framerr.core.crypto import resolve_key
from framerr.core.paths import Paths
from framerr.jobs.calendar import Rule
from framerr.setup.finish import start_fresh

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def make_settings(tmp_path: Path, **env: str) -> Settings:
    """The settings of an instance in `tmp_path`/config, on loopback; `env` are environment variables."""
    return config.load(
        {"FRAMERR_CONFIG_DIR": str(tmp_path / "config"), "FRAMERR_HOST": "127.0.0.1", "FRAMERR_SETUP_CODE": "off"} | env
    )


def make_folder(settings: Settings) -> Paths:
    """The prepared folder of an instance that was never set up, with a migrated database; not locked."""
    paths = Paths(settings.config_dir)
    paths.prepare()
    if not paths.database.exists():
        shutil.copyfile(_migrated(), paths.database)
    return paths


def make_appliance(tmp_path: Path, *, now: datetime = NOW, **env: str) -> Appliance:
    """A built appliance on a folder of its own, without users, threads or listeners. The test closes `.db`."""
    settings = make_settings(tmp_path, **env)
    paths = make_folder(settings)
    return build(settings, paths, resolve_key(settings, paths), now)


@contextmanager
def appliance_in(tmp_path: Path, *, now: datetime = NOW, **env: str) -> Iterator[Appliance]:
    """`make_appliance`, closed at the end."""
    appliance = make_appliance(tmp_path, now=now, **env)
    try:
        yield appliance
    finally:
        appliance.db.close()


PASSWORD = "correct horse battery"


def set_up(appliance: Appliance, *, now: datetime = NOW, **changes: object) -> None:
    """Finish setup as an administrator called admin, with a daily schedule at 4 AM UTC."""
    given: dict[str, Any] = {
        "username": "admin",
        "password": PASSWORD,
        "display_name": "Ada",
        "instance_name": "Test",
        "time_zone": "UTC",
        "rule": Rule("daily", 4),
        "max_backups": 7,
    }
    start_fresh(appliance.db, appliance.paths, **(given | changes), now=now)


@cache
def _migrated() -> Path:
    """An empty database at the newest revision, made once for all tests of a process."""
    folder = mkdtemp(prefix="framerr-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "framerr.db"
    database.bring_up(path, backup=lambda: None)
    return path
