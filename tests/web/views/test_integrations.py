"""Connected services, and a key that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import escape

from framerr.appliance import Appliance, build
from framerr.core.clock import utcnow
from framerr.core.crypto import InstanceKey
from framerr.integrations import store
from framerr.observability import audit
from framerr.web import create_app
from tests.factories import make_appliance
from tests.web.people import PASSWORD, Visitor, set_up

LIST = "/settings/integrations"


def connect(appliance: Appliance, name: str, kind: str = "framer-site") -> str:
    with appliance.db.writing() as session:
        added = store.add(
            session,
            appliance.key,
            kind=kind,
            name=name,
            config={},
            credential={"api_key": f"key of {name}"},
            now=utcnow(),
        )
        return added.uid


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Appliance]:
    """An instance with two services that was started with another key."""
    first = make_appliance(tmp_path)
    set_up(first)
    connect(first, "Harbor Supply")
    connect(first, "Juniper Studio", kind="webhook")
    first.db.close()
    again = build(first.settings, first.paths, InstanceKey.new(), utcnow())
    yield again
    again.db.close()


def test_the_nav_shows_integrations_only_when_there_are_some(appliance: Appliance, administrator: Visitor) -> None:
    """Nothing is a dead link."""
    assert LIST not in administrator.get("/settings/account/profile").text
    connect(appliance, "Harbor Supply")
    assert LIST in administrator.get("/settings/account/profile").text
    page = administrator.get(LIST).text
    assert "Harbor Supply" in page
    assert "key of Harbor Supply" not in page


def test_an_empty_list_says_what_will_appear(administrator: Visitor) -> None:
    """The page exists before the nav shows it."""
    assert "Nothing is connected yet" in administrator.get(LIST).text


def test_a_credential_is_replaced_and_never_shown(appliance: Appliance, administrator: Visitor) -> None:
    """Sealed anew, in the audit log without its value."""
    uid = connect(appliance, "Harbor Supply")
    path = f"{LIST}/{uid}/credential"
    assert "API key" in administrator.get(path).text
    assert administrator.post(path, {"api_key": ""}).status_code == 422
    response = administrator.post(path, {"api_key": "the new one"})
    assert response.location == LIST
    with appliance.db.reading() as session:
        with store.opened(appliance.key, store.get(session, uid)) as credential:
            assert credential == {"api_key": "the new one"}
        entry = audit.recent(session)[0]
        assert (entry.action, entry.subject) == ("integration.credential_replaced", "Harbor Supply")
        assert "the new one" not in entry.detail


def test_a_locked_instance_lets_people_in_and_says_why_nothing_runs(locked: Appliance) -> None:
    """A banner on every page, the reason at each service, and no run now."""
    visitor = Visitor(create_app(locked)).sign_in("alice", PASSWORD)
    assert "The key is missing, so nothing runs." in visitor.get("/").text
    page = visitor.get(LIST).text
    assert "2\u00a0credentials cannot be opened with the present key." in page
    assert page.count("Key missing") == 2
    assert locked.locked is not None
    assert escape(locked.locked) in page
    assert visitor.post("/activity/run-now", {"kind": "backup"}).status_code == 409


def test_entering_every_credential_again_unlocks(locked: Appliance) -> None:
    """Only when the last one is entered; then the appliance restarts with the new key."""
    visitor = Visitor(create_app(locked)).sign_in("alice", PASSWORD)
    with locked.db.reading() as session:
        uids = {row.name: row.uid for row in store.list_integrations(session)}
    visitor.post(f"{LIST}/{uids['Harbor Supply']}/credential", {"api_key": "one"})
    refused = visitor.post(f"{LIST}/unlock")
    assert refused.status_code == 409
    assert "1\u00a0credential can still not be opened" in refused.text
    assert not locked.lifecycle.ending
    visitor.post(f"{LIST}/{uids['Juniper Studio']}/credential", {"secret": "two"})
    assert "Every credential can be opened again" in visitor.get(LIST).text
    assert visitor.post(f"{LIST}/unlock").status_code == 303
    assert locked.lifecycle.ending
    assert locked.lifecycle.restart_reason is not None
    assert build(locked.settings, locked.paths, locked.key, utcnow()).locked is None


def test_an_unknown_service_is_a_sentence(administrator: Visitor) -> None:
    """404, for reading and for writing."""
    assert administrator.get(f"{LIST}/none/credential").status_code == 404
    assert administrator.post(f"{LIST}/none/credential", {"api_key": "x"}).status_code == 404
