"""T07, T08, T09: thousands of damages to a stored archive, every one that changes anything reported."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from framerr.backups import archive, folder, verify
from framerr.jobs.progress import Progress
from tests.backups.filled import fill, make_backup
from tests.backups.test_restore import rezipped
from tests.factories import appliance_in

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]

Damage = Callable[[bytearray, random.Random, int], None]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real archive of some 100 kB."""
    with appliance_in(tmp_path_factory.mktemp("stored")) as appliance:
        fill(appliance)
        return folder.file_of(appliance.paths, make_backup(appliance))


def flip(data: bytearray, chance: random.Random, _directory: int) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def flip_directory(data: bytearray, chance: random.Random, directory: int) -> None:
    data[chance.randrange(directory, len(data))] ^= 1 << chance.randrange(8)


def truncate(data: bytearray, chance: random.Random, _directory: int) -> None:
    del data[chance.randrange(len(data)) :]


def zero_block(data: bytearray, chance: random.Random, _directory: int) -> None:
    begin = chance.randrange(len(data) // 4096) * 4096
    data[begin : begin + 4096] = bytes(len(data[begin : begin + 4096]))


def contents(path: Path) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(path) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except Exception:  # noqa: BLE001 - the standard library raises nearly anything here
        return None


@pytest.mark.parametrize(
    ("damage", "count"), [(flip, 4000), (flip_directory, 1000), (truncate, 500), (zero_block, 500)],
    ids=["bits", "directory", "truncated", "zeroed"],
)  # fmt: skip
def test_every_change_is_reported(stored: Path, tmp_path: Path, damage: Damage, count: int) -> None:
    whole = contents(stored)
    data = stored.read_bytes()
    with zipfile.ZipFile(stored) as opened:
        directory = opened.start_dir
    chance = random.Random(count)
    copy = tmp_path / stored.name
    reported = harmless = 0

    for _ in range(count):
        changed = bytearray(data)
        damage(changed, chance, directory)
        if changed == data:
            continue
        copy.write_bytes(changed)
        verdict = verify.verify_archive(copy, Progress())
        if verdict.state != "good":
            reported += 1
            assert verdict.sentence.endswith(".")
        else:
            harmless += 1
            assert contents(copy) == whole

    print(f"{reported} reported, {harmless} changed nothing that is stored (times, attributes)")
    assert reported > count // 2


def test_every_flip_in_the_database_is_reported(stored: Path, tmp_path: Path) -> None:
    """T09: SQLite's own checks miss four of five of these. The archive itself is packed well each time."""
    chance = random.Random(9)
    copy = tmp_path / "upload.zip"

    for _ in range(1500):

        def flipped(members: dict[str, bytes]) -> None:
            database = bytearray(members[archive.DATABASE])
            flip(database, chance, 0)
            members[archive.DATABASE] = bytes(database)

        rezipped(stored, copy, flipped)
        verdict = verify.verify_archive(copy, Progress())
        assert verdict.state == "damaged"
        assert "framerr.db has other bytes" in verdict.sentence
