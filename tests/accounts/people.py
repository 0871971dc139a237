"""People of these tests: alice owns the instance, mallory wants in."""

from __future__ import annotations

from datetime import UTC, datetime

from framerr.accounts import users
from framerr.accounts.models import User
from framerr.core.db import Database

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
HOME = "192.0.2.10"
STRANGER = "198.51.100.66"


def make_user(db: Database, username: str = "alice", password: str = PASSWORD) -> User:
    with db.writing() as session:
        return users.create_user(
            session, username=username, password=password, display_name="", role="administrator", now=NOW
        )
