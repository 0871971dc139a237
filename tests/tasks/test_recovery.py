"""What a boot puts right, on states that hold what this program would never write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from framerr.appliance import Appliance
from framerr.backups import swap
from framerr.backups.models import RESTORED, RETURNED
from framerr.core.errors import Corrupt
from framerr.jobs.models import Run
from framerr.observability.models import Event
from framerr.tasks import recovery
from tests.factories import NOW, appliance_in, set_up

FORGED = ("'[]'", "'17'", "'\"x\"'", "'no json at all'", "x'00ff'", "'{\"id\": null}'")


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    with appliance_in(tmp_path) as built:
        set_up(built)
        yield built


def put_on_trial(appliance: Appliance) -> None:
    """As after a restore: the live folder is the restored one, with its database open."""
    paths = appliance.paths
    swap.announce(paths, swap.Marker(what="x.zip", requested_by="ada", swaps=[swap.data_swap(paths)]))
    paths.data_before.mkdir()
    paths.restore_pending.rename(paths.restore_trial)


def forge(appliance: Appliance, statement: str) -> None:
    with appliance.db.writing() as session:
        session.execute(text(statement))


def told(appliance: Appliance, kind: str) -> list[str]:
    """The texts alone: the data of a forged row cannot be read."""
    with appliance.db.reading() as session:
        return list(session.scalars(select(Event.text).where(Event.kind == kind, Event.text != "forged")))


def forged_event(data: str) -> str:
    return (
        "INSERT INTO events (uid, at, kind, level, subject, text, data) VALUES "
        f"('forged', '2099-01-01T00:00:00.000000Z', '{RESTORED}', 'info', '', 'forged', {data})"
    )


@pytest.mark.parametrize("data", FORGED)
def test_telling_believes_no_row_of_the_restored_state(appliance: Appliance, data: str) -> None:
    forge(appliance, forged_event(data))
    put_on_trial(appliance)

    assert recovery.keep(appliance, NOW) is True
    recovery.recover(appliance, NOW)

    assert told(appliance, RESTORED) == ["The restore of x.zip is done."]
    assert not appliance.paths.restore_outcome.exists()


def test_telling_that_is_impossible_ends_nothing(appliance: Appliance) -> None:
    """A trigger of the archive refuses every event: the state stays, and the next boot is a boot."""
    forge(appliance, "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END")
    put_on_trial(appliance)

    assert recovery.keep(appliance, NOW) is True
    recovery.recover(appliance, NOW)

    assert swap.state(appliance.paths) is None
    assert appliance.paths.restore_outcome.exists()


def test_the_event_is_there_before_the_state_stays_for_good(appliance: Appliance) -> None:
    put_on_trial(appliance)
    seen: list[tuple[str | None, int]] = []

    def look(found: swap.Outcome) -> None:
        recovery.tell(appliance, found, NOW)
        seen.append((swap.state(appliance.paths), len(told(appliance, RESTORED))))

    swap.confirm(appliance.paths, NOW, tell=look)

    assert seen == [("trial", 1)]


def test_what_gave_way_is_named(appliance: Appliance) -> None:
    put_on_trial(appliance)
    swap.ask_return(appliance.paths, "It was too slow.")
    appliance.paths.data_before.rename(appliance.paths.root / "kept")
    appliance.paths.data_failed.mkdir()
    swap.begin_boot(appliance.paths, NOW)

    recovery.recover(appliance, NOW)

    (text,) = told(appliance, RETURNED)
    assert text == (
        "The restore of x.zip did not hold, so the previous state was brought back. It was too slow. What it was until "
        f"then lies in {appliance.paths.data_failed}, until the next backup is proven or seven days have passed."
    )


def test_rows_that_cannot_be_worked_with_are_damage_and_no_accident(appliance: Appliance) -> None:
    """What makes code raise whatever it raises arrives as one sentence, which a boot and a rescue can act upon."""
    with appliance.db.writing() as session:
        session.add(Run(kind="backup", trigger="manual", created_at=NOW))
    forge(appliance, "UPDATE runs SET state = 'running', trigger = 'schedule', attempt = -10")

    with pytest.raises(Corrupt, match=r"cannot work with \(IndexError\)"):
        recovery.recover(appliance, NOW)
