"""The one place that reads the time.

It is read once per operation by web, tasks and loops, and handed down as `now`; rooms never call it.
"""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)
