"""What every page shows around its content."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framerr.appliance import Appliance
from framerr.web import create_app
from framerr.web.person import Person
from tests.web.people import PASSWORD, Visitor, add_person

PERSON = Person("u", "alice", "Alice Example", "administrator", None, None, None, "token")


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Alice Example", "AE"), ("Alice van der Example", "AE"), ("Alice", "AL"), ("Ö", "Ö"), ("  ", "AL")],
)
def test_initials_stand_for_a_picture(name: str, initials: str) -> None:
    """First and last word, or two letters."""
    assert replace(PERSON, display_name=name).initials == initials


def test_the_token_is_in_no_repr() -> None:
    """Logs and tracebacks show people, not their cookies."""
    assert "token" not in repr(PERSON)


def test_only_administrators_see_their_pages_in_the_nav(administrator: Visitor, viewer: Visitor) -> None:
    """Nothing is offered that would be refused."""
    admin_pages = ["/settings/customization/appearance", "/settings/advanced/backups"]
    shown = administrator.get("/settings/account/profile").text
    assert [path for path in admin_pages if path not in shown] == []
    shown = viewer.get("/settings/account/profile").text
    assert [path for path in admin_pages if path in shown] == []


def test_a_locked_instance_says_so_to_everybody_in_their_words(appliance: Appliance) -> None:
    """Administrators are led to the way out, others to an administrator."""
    add_person(appliance, "vera", "viewer")
    app = create_app(replace(appliance, locked="2 credentials were sealed with the key abc."))
    page = Visitor(app).sign_in("alice", PASSWORD).get("/").text
    assert "The key is missing, so nothing runs." in page
    assert "No: the key is missing, so no backups are made." in page
    assert 'href="/settings/integrations"' in page
    page = Visitor(app).sign_in("vera", PASSWORD).get("/").text
    assert "Tell an administrator." in page
    assert "the key abc" not in page
