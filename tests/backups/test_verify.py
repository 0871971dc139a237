"""Verdicts: every change of a stored archive is found, and a disk that stutters is not a damaged backup."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from framerr.appliance import Appliance
from framerr.backups import folder, verify
from framerr.backups.models import DAMAGED
from framerr.core.errors import Corrupt, NotFound
from framerr.core.zips import Limits, ZipReader, open_archive
from framerr.jobs.progress import Progress
from framerr.observability import events
from tests.backups.filled import make_backup
from tests.factories import NOW


@pytest.fixture
def stored(filled: Appliance) -> Path:
    return folder.file_of(filled.paths, make_backup(filled))


def verdict_of(path: Path) -> verify.Verdict:
    return verify.verify_archive(path, Progress())


def spans(path: Path) -> tuple[range, range]:
    """Where member data and the central directory lie."""
    with zipfile.ZipFile(path) as archive:
        return range(archive.start_dir), range(archive.start_dir, path.stat().st_size)


def damaged_copies(path: Path, where: range, count: int, tmp_path: Path) -> Iterator[Path]:
    """Copies with one flipped bit each, at places chosen once for all."""
    data = path.read_bytes()
    chance = random.Random(where.start)
    for number in range(count):
        place = chance.choice(where)
        flipped = bytearray(data)
        flipped[place] ^= 1 << chance.randrange(8)
        copy = tmp_path / f"flip-{number}-{place}.zip"
        copy.write_bytes(flipped)
        yield copy
        copy.unlink()


def contents(path: Path) -> dict[str, bytes] | None:
    """What a lenient reader makes of an archive; None when it cannot read it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001 - the standard library raises nearly anything here
        return None


def test_a_good_archive_is_good(stored: Path) -> None:
    verdict = verdict_of(stored)

    assert (verdict.state, verdict.second_read) == ("good", False)
    assert verdict.manifest is not None
    assert verdict.sentence == f"All {len(verdict.manifest.files)} files match their checksums."


@pytest.mark.parametrize("part", [0, 1], ids=["members", "directory"])
def test_flipped_bits_that_change_anything_are_found(stored: Path, tmp_path: Path, part: int) -> None:
    """T07, T08, T09: a sample; all of them in tests/torture. What is still called good has the very same content."""
    whole = contents(stored)

    for copy in damaged_copies(stored, spans(stored)[part], 60, tmp_path):
        if verdict_of(copy).state == "good":
            assert contents(copy) == whole, copy.name


@pytest.mark.parametrize("cut", [0, 1, 21, 22, 100, 5000, -1, -22, -100])
def test_a_truncated_archive_is_never_good(stored: Path, tmp_path: Path, cut: int) -> None:
    """T07, T11."""
    copy = tmp_path / stored.name
    copy.write_bytes(stored.read_bytes()[:cut])

    verdict = verdict_of(copy)

    assert verdict.state == "damaged"
    assert verdict.sentence


def test_bytes_that_are_right_on_the_second_reading_are_a_warning(stored: Path, tmp_path: Path) -> None:
    """T10: and not a failure. Here the first reading breaks already at the list of files."""
    copy = tmp_path / stored.name
    copy.write_bytes(stored.read_bytes())

    @contextmanager
    def cut_once(path: Path, limits: Limits | None) -> Iterator[ZipReader]:
        if not (path.parent / "seen").exists():
            (path.parent / "seen").touch()
            raise Corrupt("The archive is cut off.")
        with open_archive(path, limits) as reader:
            yield reader

    verdict = verify.verify_archive(copy, Progress(), opened=cut_once)

    assert (verdict.state, verdict.second_read) == ("good", True)
    assert "second reading" in verdict.sentence


def test_a_member_that_is_right_on_the_second_reading_is_a_warning(stored: Path) -> None:
    """T10."""

    @contextmanager
    def opened(path: Path, limits: Limits | None) -> Iterator[ZipReader]:
        with open_archive(path, limits) as reader:
            yield Stutter(reader)  # type: ignore[misc]

    verdict = verify.verify_archive(stored, Progress(), opened=opened)

    assert (verdict.state, verdict.second_read) == ("good", True)


class Stutter:
    """A reader whose first proof of the database is wrong."""

    def __init__(self, reader: ZipReader) -> None:
        self._reader, self._seen = reader, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    def digest(self, name: str, on_bytes: object = None) -> object:
        proof = self._reader.digest(name, on_bytes)  # type: ignore[arg-type]
        if name == "framerr.db" and not self._seen:
            self._seen = True
            return proof._replace(sha256="0" * 64)
        return proof


FOREIGN = {
    "Uptime Kuma": ({"kuma.db": b"x"}, "Uptime Kuma"),
    "Sonarr": ({"sonarr.db": b"x", "config.xml": b"x"}, "Sonarr"),
    "Framerr 0.x": ({"framerr.db": b"x", "manifest.json": b'{"version": "0.4.1"}'}, "Framerr 0.4.1"),
    "another manifest": ({"manifest.json": b'{"name": "x"}'}, "not made by Framerr"),
    "photos": ({"a.jpg": b"x"}, "not a backup of Framerr"),
}


@pytest.mark.parametrize(("members", "words"), FOREIGN.values(), ids=FOREIGN.keys())
def test_other_programs_are_named(tmp_path: Path, members: dict[str, bytes], words: str) -> None:
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)

    verdict = verdict_of(path)

    assert verdict.state == "foreign"
    assert words in verdict.sentence


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty file"),
        (b"\0" * 4096, "file of zeros"),
        (b"SQLite format 3\0" + b"x" * 100, "bare SQLite database"),
        (b"\x1f\x8b\x08" + b"x" * 100, ".gz"),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 100, "7z"),
        (b"<!doctype html><title>413</title>" + b" " * 100, "web page"),
        (b"hello, world" * 10, "not a ZIP archive"),
    ],
)
def test_what_is_no_archive_is_called_what_it_is(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "upload.zip"
    path.write_bytes(data)

    verdict = verdict_of(path)

    assert verdict.state == "foreign"
    assert words in verdict.sentence


def test_a_file_that_is_gone_is_not_a_verdict(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        verdict_of(tmp_path / "x.zip")


def test_a_damaged_backup_is_marked_and_an_event(filled: Appliance) -> None:
    row = make_backup(filled)
    path = folder.file_of(filled.paths, row)
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)

    verdict = verify.verify_backup(filled.db, filled.paths, row.uid, Progress(), now=NOW)

    with filled.db.reading() as session:
        marked = folder.get(session, row.uid)
        event = events.recent(session, kind=DAMAGED)[0]
    assert verdict.state == marked.state == "damaged"
    assert marked.problem == verdict.sentence
    assert marked.verified_at is None
    assert (event.level, event.subject) == ("error", row.uid)


def test_a_good_backup_is_marked_with_the_moment(filled: Appliance) -> None:
    row = make_backup(filled)

    verify.verify_backup(filled.db, filled.paths, row.uid, Progress(), now=NOW.replace(day=20))

    with filled.db.reading() as session:
        assert folder.get(session, row.uid).verified_at == NOW.replace(day=20)


def test_a_backup_that_is_not_listed_is_not_found(filled: Appliance) -> None:
    with pytest.raises(NotFound):
        verify.verify_backup(filled.db, filled.paths, "nothing", Progress(), now=NOW)
