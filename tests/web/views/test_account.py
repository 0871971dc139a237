"""A person's own account."""

from __future__ import annotations

import pytest
from flask import Flask

from framerr.accounts import users
from framerr.accounts.models import User
from framerr.appliance import Appliance
from framerr.observability import audit
from tests.pictures import HOSTILE, opened, photo, picture
from tests.web.people import PASSWORD, Visitor


def stored(appliance: Appliance, username: str = "alice") -> User:
    with appliance.db.reading() as session:
        found = users.find_by_username(session, username)
        assert found is not None
        session.expunge(found)
        return found


def newest_action(appliance: Appliance) -> tuple[str, str]:
    with appliance.db.reading() as session:
        entry = audit.recent(session)[0]
        return entry.actor, entry.action


def test_a_new_name_is_saved_and_shown(appliance: Appliance, administrator: Visitor) -> None:
    """On the next page, and in the audit log."""
    response = administrator.post("/settings/account/profile", {"display_name": "  Alice  Newname "})
    assert (response.status_code, response.location) == (303, "/settings/account/profile")
    page = administrator.get(response.location).text
    assert "Your name is saved." in page
    assert 'value="Alice Newname"' in page
    assert newest_action(appliance) == ("alice", "profile.changed")


def test_a_name_that_is_none_is_refused_at_its_field(appliance: Appliance, administrator: Visitor) -> None:
    """422, the sentence beside the field, nothing changed."""
    response = administrator.post("/settings/account/profile", {"display_name": "   "})
    assert response.status_code == 422
    assert 'aria-describedby="f-display_name-error' in response.text
    assert stored(appliance).display_name == "Alice Example"


@pytest.mark.parametrize("clock", ["12", "24"])
def test_preferences_change_how_times_are_written(administrator: Visitor, clock: str) -> None:
    """12 or 24 hours, on every page of this person."""
    administrator.post("/settings/account/preferences", {"time_format": clock, "theme": "dark"})
    page = administrator.get("/").text
    assert ("04:00" in page) is (clock == "24")
    assert ("4:00\u00a0AM" in page) is (clock == "12")
    assert 'data-theme="dark"' in page


def test_no_preference_follows_the_instance(appliance: Appliance, administrator: Visitor) -> None:
    """An empty choice is stored as none."""
    administrator.post("/settings/account/preferences", {"time_format": "24", "theme": "dark"})
    administrator.post("/settings/account/preferences", {"time_format": "", "theme": ""})
    assert (stored(appliance).time_format, stored(appliance).theme) == (None, None)


def test_a_preference_that_is_not_offered_is_refused(appliance: Appliance, administrator: Visitor) -> None:
    """Nothing of the form is saved."""
    response = administrator.post("/settings/account/preferences", {"time_format": "13", "theme": "dark"})
    assert response.status_code == 422
    assert stored(appliance).theme is None


def test_a_picture_is_taken_without_what_the_camera_added(appliance: Appliance, administrator: Visitor) -> None:
    """Re-encoded, square, EXIF dropped, served under a random name, also kept out of caches of others."""
    response = administrator.upload("/settings/account/picture", "picture", photo("taken at home"))
    assert response.status_code == 303
    name = stored(appliance).picture
    assert name is not None
    sent = administrator.get(f"/profile-pictures/{name}")
    assert sent.mimetype == "image/webp"
    assert b"taken at home" not in sent.data
    assert opened(sent.data).size[0] == opened(sent.data).size[1]
    assert sent.headers["Cache-Control"].startswith("private")
    assert f"/profile-pictures/{name}" in administrator.get("/").text


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_picture_is_refused_whatever_it_is_called(
    appliance: Appliance, administrator: Visitor, kind: str
) -> None:
    """422 with the sentence at the field."""
    response = administrator.upload("/settings/account/picture", "picture", HOSTILE[kind])
    assert response.status_code == 422
    assert "f-picture-error" in response.text
    assert stored(appliance).picture is None


def test_a_picture_can_be_taken_away(appliance: Appliance, administrator: Visitor) -> None:
    """Initials again, and the file is gone."""
    administrator.upload("/settings/account/picture", "picture", picture())
    name = stored(appliance).picture
    administrator.post("/settings/account/picture/remove")
    assert stored(appliance).picture is None
    assert administrator.get(f"/profile-pictures/{name}").status_code == 404
    assert newest_action(appliance) == ("alice", "profile.picture_removed")


@pytest.mark.parametrize("name", ["..%2f..%2fframerr.db", "framerr.db", "x.webp"])
def test_only_pictures_are_served_as_pictures(administrator: Visitor, name: str) -> None:
    """No name leads to another file."""
    assert administrator.get(f"/profile-pictures/{name}").status_code == 404


def test_a_new_password_signs_everybody_else_out(app: Flask, appliance: Appliance, administrator: Visitor) -> None:
    """This browser stays, the others go, the old password is worth nothing."""
    elsewhere = Visitor(app).sign_in("alice", PASSWORD)
    fresh = "another good pass phrase"
    response = administrator.post(
        "/settings/account/security", {"current": PASSWORD, "password": fresh, "again": fresh}
    )
    assert response.status_code == 303
    assert "1\u00a0other browser is signed out" in administrator.get(response.location).text
    assert elsewhere.get("/").location == "/login"
    assert newest_action(appliance) == ("alice", "account.password_changed")
    assert Visitor(app).post("/login", {"username": "alice", "password": PASSWORD}).status_code == 422
    Visitor(app).sign_in("alice", fresh)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"current": "wrong", "password": "long enough one", "again": "long enough one"}, "current"),
        ({"current": PASSWORD, "password": "short", "again": "short"}, "password"),
        ({"current": PASSWORD, "password": "long enough one", "again": "long enough two"}, "again"),
        ({"current": "", "password": "long enough one", "again": "long enough one"}, "current"),
        ({"current": PASSWORD, "password": "", "again": ""}, "password"),
    ],
)
def test_a_password_change_that_fails_says_where(administrator: Visitor, typed: dict[str, str], field: str) -> None:
    """At the field, without showing anything that was typed."""
    response = administrator.post("/settings/account/security", typed)
    assert response.status_code == 422
    assert f"f-{field}-error" in response.text
    assert "long enough" not in response.text
    assert PASSWORD not in response.text


def test_guessing_the_current_password_has_to_wait(administrator: Visitor) -> None:
    """A signed-in browser left alone is no way around the throttle."""
    typed = {"current": "wrong", "password": "long enough one", "again": "long enough one"}
    answers = [administrator.post("/settings/account/security", typed) for _ in range(5)]
    assert answers[-1].status_code == 429
    assert "Retry-After" in answers[-1].headers


def test_own_browsers_are_listed_and_can_be_signed_out(app: Flask, administrator: Visitor) -> None:
    """Only one's own, this one marked."""
    elsewhere = Visitor(app, address="198.51.100.4").sign_in("alice", PASSWORD)
    page = administrator.get("/settings/account/security").text
    assert "198.51.100.4" in page
    assert page.count("This one") == 1
    administrator.post("/settings/account/sessions/end")
    assert elsewhere.get("/").location == "/login"
    assert "198.51.100.4" not in administrator.get("/settings/account/security").text


def test_nobody_sees_the_browsers_of_others(administrator: Visitor, viewer: Visitor) -> None:
    """The list is by person."""
    assert "Signed in here only." in viewer.get("/settings/account/security").text
