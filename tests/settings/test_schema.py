"""Every setting is declared once, and its rule refuses what is not possible."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framerr.core.errors import InvalidInput
from framerr.settings.schema import (
    INSTANCE_NAME,
    MAX_BACKUPS,
    SETTINGS,
    THEME,
    TIME_FORMAT,
    TIME_ZONE,
    Declaration,
    declaration,
    time_zones,
)
from framerr.settings.store import Values


@pytest.mark.parametrize("known", SETTINGS, ids=lambda known: known.key)
def test_a_declaration_is_complete_and_its_default_obeys_its_own_rule(known: Declaration) -> None:
    assert known.parse(known.default) == known.default
    assert known.label
    assert known.help.endswith(".")
    assert declaration(known.key) is known


def test_keys_and_attributes_are_unique_and_every_value_has_its_attribute() -> None:
    attributes = [known.attribute for known in SETTINGS]

    assert len({known.key for known in SETTINGS}) == len(SETTINGS)
    assert attributes == [field.name for field in fields(Values) if field.name != "problems"]


@pytest.mark.parametrize(
    "value",
    [0, -1, 31, 10**9, "0", "-1", "31", "", " ", None, "seven", "7.0", 7.5, True, False, "1e1", "٧", [], {}, [7], b"7"],
    ids=repr,
)
def test_max_backups_is_1_to_30_and_nothing_else(value: object) -> None:
    """R-002-10, T31: never "keep none"."""
    with pytest.raises(InvalidInput) as refused:
        MAX_BACKUPS.parse(value)

    assert refused.value.field == "backups.max"
    assert refused.value.message == "Max backups must be a whole number from 1 to 30."


@pytest.mark.parametrize(("value", "number"), [(1, 1), (30, 30), ("7", 7), (" 12 ", 12), ("+3", 3), ("007", 7)])
def test_max_backups_is_read_from_forms_and_documents(value: object, number: int) -> None:
    parsed = MAX_BACKUPS.parse(value)

    assert (parsed, type(parsed)) == (number, int)


@given(st.one_of(st.integers(), st.text(max_size=20), st.floats(), st.none(), st.booleans()))
def test_whatever_comes_in_is_a_possible_number_or_refused(value: object) -> None:
    parsed = None
    with suppress(InvalidInput):
        parsed = MAX_BACKUPS.parse(value)

    assert parsed is None or (type(parsed) is int and 1 <= parsed <= 30)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "Australia/Lord_Howe", " America/New_York ", "Etc/UTC"])
def test_zones_of_the_world_are_accepted(zone: str) -> None:
    assert ZoneInfo(str(TIME_ZONE.parse(zone))).key == zone.strip()


@pytest.mark.parametrize(
    "zone",
    ["", "Berlin", "CEST", "+01:00", "../../etc/passwd", "/etc/localtime", "localtime", "right/UTC", None, 1, "\0"],
)
def test_other_zones_are_refused(zone: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        TIME_ZONE.parse(zone)

    assert refused.value.field == "instance.time_zone"


def test_the_list_of_zones_holds_only_zones() -> None:
    assert "Europe/Berlin" in time_zones()
    assert list(time_zones()) == sorted(time_zones())
    assert {"localtime", "Factory", "posixrules"}.isdisjoint(time_zones())


@pytest.mark.parametrize(("name", "stored"), [("  My  server ", "My server"), ("Büro", "Büro"), ("x" * 60, "x" * 60)])
def test_an_instance_name_is_one_line(name: str, stored: str) -> None:
    assert INSTANCE_NAME.parse(name) == stored


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb", "a\x00b", "\u202eevil", None, 7, ["a"], "\ud800"])
def test_other_instance_names_are_refused(name: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        INSTANCE_NAME.parse(name)

    assert refused.value.field == "instance.name"


@pytest.mark.parametrize(("known", "value"), [(THEME, "pink"), (THEME, None), (THEME, ""), (TIME_FORMAT, 24)])
def test_choices_are_chosen_from(known: Declaration, value: object) -> None:
    with pytest.raises(InvalidInput, match="must be one of"):
        known.parse(value)


def test_an_undeclared_setting_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"no setting named backup\.max\. Known are: .*backups\.max") as refused:
        declaration("backup.max")

    assert refused.value.field == "backup.max"
