"""Every setting, declared once: pages, commands and the reference page are made from this.

A value is parsed from what a form, a JSON document or the database holds, always by the same rule.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from functools import cache
from typing import Literal

from framerr.core.errors import InvalidInput
from framerr.core.text import one_line

Value = str | int
Kind = Literal["text", "whole", "choice", "zone"]


@dataclass(frozen=True)
class Declaration:
    """One setting. `attribute` is its name on `store.Values`; `low` to `high` bound a whole number or a text's length.

    `choices` are (value, label). `help` is a sentence or two for people, and says what the setting does not do. No
    setting is a secret so far; a `secret` one would be shown as set or not set.
    """

    key: str
    attribute: str
    kind: Kind
    default: Value
    label: str
    help: str
    low: int = 0
    high: int = 0
    choices: tuple[tuple[str, str], ...] = ()
    secret: bool = False

    def parse(self, value: object) -> Value:
        """The typed value. Raises InvalidInput (field: the key) with the sentence that says what is possible."""
        match self.kind:
            case "text":
                return one_line(value, label=self.label, field=self.key, longest=self.high)
            case "whole":
                return self._whole(value)
            case "choice":
                return self._one_of(value, [name for name, _ in self.choices])
            case "zone":
                return self._zone(value)

    def _whole(self, value: object) -> int:
        number = value
        if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,9}", value.strip()):
            number = int(value)
        if not isinstance(number, int) or isinstance(number, bool) or not self.low <= number <= self.high:
            raise InvalidInput(f"{self.label} must be a whole number from {self.low} to {self.high}.", field=self.key)
        return number

    def _one_of(self, value: object, allowed: list[str]) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise InvalidInput(f"{self.label} must be one of: {', '.join(allowed)}.", field=self.key)

    def _zone(self, value: object) -> str:
        if isinstance(value, str) and value.strip() in time_zones():
            return value.strip()
        raise InvalidInput(
            f"{self.label} must be a name such as Europe/Berlin. Choose one of the list.", field=self.key
        )


@cache
def time_zones() -> tuple[str, ...]:
    """The names of all time zones this machine knows, for lists, in order."""
    not_places = {"Factory", "localtime"}
    return tuple(sorted(zoneinfo.available_timezones() - not_places))


INSTANCE_NAME = Declaration(
    "instance.name",
    "instance_name",
    "text",
    "Framerr",
    "Instance name",
    "Shown in the title of every page and in backups, so that you can tell instances apart.",
    low=1,
    high=60,
)
TIME_ZONE = Declaration(
    "instance.time_zone",
    "time_zone",
    "zone",
    "UTC",
    "Time zone",
    "Schedules run and times are shown in this zone. What is stored does not change with it.",
)
MAX_BACKUPS = Declaration(
    "backups.max",
    "max_backups",
    "whole",
    7,
    "Max backups",
    "How many manual and scheduled backups are kept; older ones are deleted after a new one is proven good. "
    "Safety backups and pinned ones are not counted and never deleted.",
    low=1,
    high=30,
)
THEME = Declaration(
    "appearance.theme",
    "theme",
    "choice",
    "system",
    "Theme",
    "How pages look to people who did not choose a theme of their own.",
    choices=(("system", "As the device is set"), ("light", "Light"), ("dark", "Dark")),
)
ACCENT = Declaration(
    "appearance.accent",
    "accent",
    "choice",
    "ink",
    "Accent colour",
    "The colour of what can be pressed and of where you are. Colours that mean a state stay as they are.",
    choices=(("ink", "Ink blue"), ("teal", "Teal"), ("plum", "Plum"), ("slate", "Slate")),
)
TIME_FORMAT = Declaration(
    "appearance.time_format",
    "time_format",
    "choice",
    "12",
    "Time format",
    "How times are written for people who did not choose a format of their own.",
    choices=(("12", "12 hours (4:00 PM)"), ("24", "24 hours (16:00)")),
)

SETTINGS = (INSTANCE_NAME, TIME_ZONE, MAX_BACKUPS, THEME, ACCENT, TIME_FORMAT)


def declaration(key: str) -> Declaration:
    """The setting of this key. Raises InvalidInput when there is none."""
    for known in SETTINGS:
        if known.key == key:
            return known
    raise InvalidInput(f"There is no setting named {key}. Known are: {', '.join(s.key for s in SETTINGS)}.", field=key)
