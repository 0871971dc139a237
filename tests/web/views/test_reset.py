"""Back to the wizard: asked twice, then queued."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from framerr.appliance import Appliance
from framerr.jobs.models import Run
from framerr.observability import audit
from tests.web.people import PASSWORD, Visitor

RESET = "/settings/advanced/reset"


def runs(appliance: Appliance) -> list[Run]:
    with appliance.db.reading() as session:
        return list(session.scalars(select(Run)))


def test_the_page_names_what_goes_and_what_stays(administrator: Visitor) -> None:
    """The safety backup is named before anything is asked."""
    page = administrator.get(RESET).text
    assert "A safety backup is made and checked" in page
    assert "Reset “Studio server”?" in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "studio server", "password": PASSWORD}, "name"),
        ({"name": "", "password": PASSWORD}, "name"),
        ({"name": "Studio server", "password": ""}, "password"),
        ({"name": "Studio server", "password": "wrong"}, "password"),
    ],
)
def test_without_the_name_and_the_password_nothing_happens(
    appliance: Appliance, administrator: Visitor, typed: dict[str, str], field: str
) -> None:
    """The sentence is at the field, the password never in the page."""
    response = administrator.post(RESET, typed)
    assert response.status_code == 422
    assert f"f-{field}-error" in response.text
    assert PASSWORD not in response.text
    assert runs(appliance) == []


def test_name_and_password_queue_the_reset(appliance: Appliance, administrator: Visitor) -> None:
    """One run, in the audit log, shown with its stages."""
    response = administrator.post(RESET, {"name": "Studio server", "password": PASSWORD})
    [run] = runs(appliance)
    assert (run.kind, run.requested_by) == ("reset", "alice")
    assert response.location == f"/activity/{run.uid}"
    with appliance.db.reading() as session:
        entry = audit.recent(session)[0]
        assert (entry.action, entry.subject) == ("reset.requested", "Studio server")


def test_guessing_the_password_has_to_wait(appliance: Appliance, administrator: Visitor) -> None:
    """429 with Retry-After, and nothing queued."""
    answers = [administrator.post(RESET, {"name": "Studio server", "password": "no"}) for _ in range(5)]
    assert answers[-1].status_code == 429
    assert "Retry-After" in answers[-1].headers
    assert runs(appliance) == []
