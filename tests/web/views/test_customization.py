"""Name, time zone, theme, favicon, icons."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from framerr.appliance import Appliance
from framerr.jobs import schedules
from framerr.observability import audit
from framerr.settings import icons, store
from tests.pictures import HOSTILE, opened, picture
from tests.web.people import Visitor

APPEARANCE = "/settings/customization/appearance"
GOOD = {
    "instance.name": "Studio server",
    "instance.time_zone": "Europe/Berlin",
    "appearance.theme": "system",
    "appearance.accent": "ink",
    "appearance.time_format": "12",
}


def values(appliance: Appliance) -> store.Values:
    with appliance.db.reading() as session:
        return store.read(session)


def test_a_new_name_is_on_every_page(appliance: Appliance, administrator: Visitor) -> None:
    """And what changed from what is in the audit log."""
    response = administrator.post(APPEARANCE, GOOD | {"instance.name": "The <other> one"})
    assert response.status_code == 303
    assert "The &lt;other&gt; one" in administrator.get("/").text
    with appliance.db.reading() as session:
        entry = audit.recent(session)[0]
        assert (entry.action, entry.subject) == ("setting.changed", "instance.name")
        assert entry.detail == "From Studio server to The <other> one."


def test_schedules_follow_the_time_zone(appliance: Appliance, administrator: Visitor) -> None:
    """The same local hour in the new zone, set in the same transaction."""
    administrator.post(APPEARANCE, GOOD | {"instance.time_zone": "America/New_York"})
    with appliance.db.reading() as session:
        schedule = schedules.get(session, "backup")
        assert schedule is not None
        assert schedule.next_due_at is not None
        assert schedule.next_due_at.astimezone(ZoneInfo("America/New_York")).hour == 4


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("instance.name", ""),
        ("instance.name", "x" * 61),
        ("instance.time_zone", "Berlin"),
        ("instance.time_zone", "../../etc/passwd"),
        ("appearance.theme", "pink"),
        ("appearance.accent", "red; x"),
        ("appearance.time_format", "13"),
    ],
)
def test_a_value_that_is_not_possible_changes_nothing(
    appliance: Appliance, administrator: Visitor, key: str, value: str
) -> None:
    """All or nothing: the other fields of the form are not saved either, and what was typed stays."""
    response = administrator.post(APPEARANCE, {**GOOD, "instance.name": "Changed", key: value})
    assert response.status_code == 422
    assert f"f-{key}-error" in response.text
    assert values(appliance).instance_name == "Studio server"


def test_saving_without_a_change_says_so(appliance: Appliance, administrator: Visitor) -> None:
    """And writes no audit entry."""
    with appliance.db.reading() as session:
        before = len(audit.recent(session))
    response = administrator.post(APPEARANCE, GOOD)
    assert "nothing changed" in administrator.get(response.location).text
    with appliance.db.reading() as session:
        assert len(audit.recent(session)) == before


def test_the_theme_of_the_instance_holds_for_those_who_chose_none(administrator: Visitor, viewer: Visitor) -> None:
    """A person's own choice wins."""
    administrator.post(APPEARANCE, GOOD | {"appearance.theme": "dark"})
    assert 'data-theme="dark"' in viewer.get("/").text
    viewer.post("/settings/account/preferences", {"time_format": "", "theme": "light"})
    assert 'data-theme="light"' in viewer.get("/").text


def test_the_accent_is_that_of_the_instance(administrator: Visitor, stranger: Visitor) -> None:
    """On every page, the login page included."""
    administrator.post(APPEARANCE, GOOD | {"appearance.accent": "plum"})
    assert '<html lang="en" data-accent="plum"' in stranger.get("/login").text.replace("  ", " ")


def test_a_favicon_is_shown_to_strangers_too(administrator: Visitor, stranger: Visitor) -> None:
    """On the login page; its address changes with the picture, and removing it brings ours back."""
    assert "img/favicon.svg" in stranger.get("/login").text
    assert administrator.upload("/settings/customization/favicon", "picture", picture()).status_code == 303
    page = stranger.get("/login").text
    assert "/favicon.png?v=" in page
    sent = stranger.get("/favicon.png")
    assert (sent.status_code, sent.mimetype, opened(sent.data).size) == (200, "image/png", (192, 192))
    administrator.post("/settings/customization/favicon/remove")
    assert stranger.get("/favicon.png").status_code == 404
    assert "img/favicon.svg" in stranger.get("/login").text


def test_an_unreadable_favicon_is_a_sentence_on_its_page_and_nowhere_else(
    appliance: Appliance, administrator: Visitor
) -> None:
    """Every other page is shown with ours."""
    administrator.upload("/settings/customization/favicon", "picture", picture())
    file = appliance.paths.favicon / "favicon.png"
    file.unlink()
    file.mkdir()
    assert administrator.get("/").status_code == 200
    page = administrator.get("/settings/customization/favicon")
    assert page.status_code == 200
    assert "The favicon cannot be read." in page.text


def test_icons_are_added_renamed_and_deleted(appliance: Appliance, administrator: Visitor) -> None:
    """With the file that belongs to them."""
    administrator.upload("/settings/customization/icons", "picture", picture(), name="Harbor <1>")
    with appliance.db.reading() as session:
        icon = icons.list_icons(session)[0]
        uid, file = icon.uid, icon.file
    page = administrator.get("/settings/customization/icons").text
    assert "Harbor &lt;1&gt;" in page
    assert administrator.get(f"/custom-icons/{file}").mimetype == "image/png"
    administrator.post(f"/settings/customization/icons/{uid}", {"name": "Harbor"})
    assert "Harbor" in administrator.get(f"/settings/customization/icons/{uid}").text
    administrator.post(f"/settings/customization/icons/{uid}/delete")
    assert administrator.get(f"/custom-icons/{file}").status_code == 404
    assert administrator.get(f"/settings/customization/icons/{uid}").status_code == 404
    with appliance.db.reading() as session:
        assert [entry.action for entry in audit.recent(session)][:3] == ["icon.deleted", "icon.renamed", "icon.added"]


@pytest.mark.parametrize("path", ["/settings/customization/icons", "/settings/customization/favicon"])
def test_what_is_no_picture_is_refused(administrator: Visitor, path: str) -> None:
    """At the field, with the name that was typed kept."""
    response = administrator.upload(path, "picture", HOSTILE["svg renamed .png"], name="Kept name")
    assert response.status_code == 422
    assert "f-picture-error" in response.text
    assert ("Kept name" in response.text) is path.endswith("icons")


def test_an_icon_needs_a_name_and_a_picture(administrator: Visitor) -> None:
    """Both sentences at once."""
    response = administrator.upload("/settings/customization/icons", "picture", b"")
    assert response.status_code == 422
    assert "f-picture-error" in response.text
    assert "f-name-error" in response.text


def test_renaming_to_nothing_is_refused(appliance: Appliance, administrator: Visitor) -> None:
    """The name stays."""
    administrator.upload("/settings/customization/icons", "picture", picture(), name="Harbor")
    with appliance.db.reading() as session:
        uid = icons.list_icons(session)[0].uid
    assert administrator.post(f"/settings/customization/icons/{uid}", {"name": " "}).status_code == 422
    assert administrator.post("/settings/customization/icons/none", {"name": "x"}).status_code == 404
