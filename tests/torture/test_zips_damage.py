"""Damage to archives on the disk: every change of a name or of content is noticed (T07, T08).

The comparison is the one that proves a backup: every member is read, and names, sizes and SHA-256 are held against the
manifest, which is the archive's last member.
"""

from __future__ import annotations

import json
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from framerr.core.errors import FramerrError
from framerr.core.zips import ZipWriter, open_archive
from framerr.core.zips.streams import PIECE
from tests.core.zips_forge import noise, text

pytestmark = pytest.mark.torture

NOW = datetime(2026, 11, 20, 10, 44, 30, tzinfo=UTC)
FILES = {
    "framerr.db": text(2 * PIECE + 5000),
    **{f"custom-icons/icon-{number}.svg": text(3000, seed=number) for number in range(20)},
    **{f"profile-pictures/{number}.webp": noise(15_000, seed=number) for number in range(10)},
}


class Archive:
    """A sound archive that can be damaged in place, and made sound again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
            for name, data in FILES.items():
                writer.add_bytes(name, data)
            proofs = {member.name: [member.size, member.sha256] for member in writer.members}
            self.manifest = json.dumps({"files": proofs}).encode()
            writer.add_bytes("manifest.json", self.manifest)
        self.sound = path.read_bytes()
        with zipfile.ZipFile(path) as stock:
            self.directory_offset = stock.start_dir

    def write_over(self, offset: int, new: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(new)

    def is_reported(self) -> bool:
        """Whether the proof of this archive fails."""
        try:
            with open_archive(self.path) as archive:
                wanted = json.loads(archive.read("manifest.json"))["files"]
                found = {name: list(archive.digest(name)) for name in archive.names() if name != "manifest.json"}
        except (FramerrError, ValueError):
            return True
        return bool(found != wanted)

    def is_unchanged(self) -> bool:
        """Whether another reader still finds the very names and bytes that were packed."""
        with zipfile.ZipFile(self.path) as stock:
            found = {name: stock.read(name) for name in stock.namelist()}
        return found == {**FILES, "manifest.json": self.manifest}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "a.zip")
    assert not made.is_reported()
    yield made
    made.path.unlink()


def count_unreported(archive: Archive, damages: Iterator[Callable[[], None]]) -> tuple[int, int]:
    """Reported damages, and those that went unreported although they changed something."""
    reported = harmful = 0
    for damage in damages:
        damage()
        if archive.is_reported():
            reported += 1
        elif not archive.is_unchanged():
            harmful += 1
        os.truncate(archive.path, 0)
        archive.write_over(0, archive.sound)
    return reported, harmful


def flips(archive: Archive, count: int, first: int, last: int) -> Iterator[Callable[[], None]]:
    chance = random.Random(count)
    for _ in range(count):
        offset = chance.randrange(first, last)
        flipped = archive.sound[offset] ^ 1 << chance.randrange(8)
        yield lambda offset=offset, flipped=flipped: archive.write_over(offset, bytes([flipped]))  # type: ignore[misc]


@pytest.mark.timeout(900)
def test_every_flipped_bit_that_changes_something_is_reported(archive: Archive) -> None:
    """T07: 4,000 single bits anywhere."""
    reported, harmful = count_unreported(archive, flips(archive, 4000, 0, len(archive.sound)))
    assert harmful == 0
    assert reported >= 3900


@pytest.mark.timeout(900)
def test_every_truncation_is_reported(archive: Archive) -> None:
    """T07: 500 lengths, the last few bytes among them."""
    chance = random.Random(500)
    lengths = [len(archive.sound) - missing for missing in range(1, 51)]
    lengths += [chance.randrange(len(archive.sound)) for _ in range(450)]
    cuts = (lambda length=length: os.truncate(archive.path, length) for length in lengths)
    assert count_unreported(archive, cuts) == (500, 0)


@pytest.mark.timeout(900)
def test_every_zeroed_block_is_reported(archive: Archive) -> None:
    """T07: 500 sectors that came back empty."""
    chance = random.Random(4096)
    blocks = [chance.randrange(len(archive.sound) // 4096) * 4096 for _ in range(500)]
    zeroes = (lambda at=at: archive.write_over(at, bytes(min(4096, len(archive.sound) - at))) for at in blocks)
    assert count_unreported(archive, zeroes) == (500, 0)


@pytest.mark.timeout(900)
def test_every_flipped_bit_of_the_directory_that_changes_something_is_reported(archive: Archive) -> None:
    """T08: where the standard library's own test sees nothing, as a name is no content."""
    reported, harmful = count_unreported(archive, flips(archive, 1000, archive.directory_offset, len(archive.sound)))
    assert harmful == 0
    assert reported >= 500
