"""Reading archives for pages: once, one at a time, and with a word for those who wait."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from flask import Flask

from framerr.appliance import Appliance
from framerr.backups.create import create_backup
from framerr.backups.inspect import Inspection
from framerr.core.clock import utcnow
from framerr.core.errors import InvalidInput, Unavailable
from framerr.jobs.progress import Progress
from framerr.web.inspections import Inspections, Reading, Watched


@pytest.fixture
def archive(appliance: Appliance) -> Path:
    made = create_backup(appliance.db, appliance.paths, appliance.key, type="manual", progress=Progress(), now=utcnow())
    return appliance.paths.backups / made.name


def test_a_file_is_read_once_as_long_as_it_stays_the_same(app: Flask, archive: Path) -> None:
    """Known afterwards; a changed file is read anew."""
    memory = Inspections()
    with app.app_context(), app.test_request_context():
        assert memory.known(archive) is None
        first = memory.look(archive)
        assert isinstance(first, Inspection)
        assert memory.known(archive) is first
        assert memory.look(archive) is first
        os.utime(archive, (1, 1))
        assert memory.known(archive) is None


def test_a_refusal_is_remembered_too(app: Flask, appliance: Appliance) -> None:
    """The page shows it again without reading again."""
    path = appliance.paths.backups / "photo.zip"
    path.write_bytes(b"\x89PNG")
    memory = Inspections()
    with app.test_request_context():
        for ask in (memory.look, memory.known):
            with pytest.raises(InvalidInput, match="This is a picture"):
                ask(path)


def test_what_may_pass_is_not_remembered(app: Flask, tmp_path: Path) -> None:
    with app.test_request_context(), pytest.raises(Unavailable):
        Inspections().look(tmp_path / "gone.zip")


def test_whoever_comes_meanwhile_is_told_how_far_it_is(app: Flask, archive: Path) -> None:
    """While one reads, others get its stage and percentage, and those with another file wait their turn."""
    memory = Inspections()
    other = archive.with_name("other.zip")
    other.write_bytes(b"PK")
    watched = Watched()
    watched.stage("Verifying", 200, "bytes")
    watched.advance(50)
    facts = archive.stat()
    with app.test_request_context():
        assert memory._reading.acquire(blocking=False)
        memory._watched = ((str(archive), facts.st_size, facts.st_mtime_ns), watched)
        assert memory.look(archive) == Reading("Verifying", 25)
        assert memory.look(other) == Reading("Waiting for another archive to be read", None)
        memory._reading.release()
        assert isinstance(memory.look(archive), Inspection)


def test_many_at_once_read_one_after_the_other(app: Flask, archive: Path) -> None:
    """However many ask, one reads; in the end all know."""
    memory = Inspections()
    answers: list[Inspection | Reading] = []

    def ask() -> None:
        with app.test_request_context():
            answers.append(memory.look(archive))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(answer, Inspection) for answer in answers)
    with app.test_request_context():
        assert memory.known(archive) is not None
