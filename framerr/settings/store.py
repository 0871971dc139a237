"""Reading and changing settings. Only what differs from a default has a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from framerr.core.errors import InvalidInput
from framerr.settings.models import Setting
from framerr.settings.schema import SETTINGS, Value, declaration


@dataclass(frozen=True)
class Values:
    """The settings as they hold now. `problems` are sentences about stored values that are not valid: their defaults
    hold instead, so a row that was forged or came from another version never means "keep no backups" (T31).
    """

    instance_name: str
    time_zone: str
    max_backups: int
    theme: Literal["system", "light", "dark"]
    accent: Literal["ink", "teal", "plum", "slate"]
    time_format: Literal["12", "24"]
    problems: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Value:
        """The value of a key. Raises InvalidInput for one that is not declared."""
        return cast(Value, getattr(self, declaration(key).attribute))


def read(session: Session) -> Values:
    """All settings. Stored keys that this version does not know are ignored, and kept."""
    stored = {row.key: row.value for row in session.scalars(select(Setting))}
    found: dict[str, Value] = {}
    problems: list[str] = []
    for known in SETTINGS:
        found[known.attribute] = known.default
        if known.key in stored:
            try:
                found[known.attribute] = known.parse(stored[known.key])
            except InvalidInput as error:
                problems.append(f"The stored setting {known.key} is not valid, so {known.default} is used. {error}")
    return Values(**found, problems=tuple(problems))  # type: ignore[arg-type]


def change(session: Session, key: str, value: object, now: datetime) -> Value:
    """Set one setting from text or a JSON value and return it as stored.

    Raises InvalidInput (field: the key) for a key that is not declared or a value that is not valid; nothing changes.
    """
    known = declaration(key)
    parsed = known.parse(value)
    row = session.get(Setting, key)
    if parsed == known.default:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(Setting(key=key, value=parsed, changed_at=now))
    elif row.value != parsed:
        row.value, row.changed_at = parsed, now
    return parsed
