"""Archives past every 32-bit and 16-bit border (T41), read by the tools people have."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from framerr.core.errors import LimitExceeded
from framerr.core.zips import Limits, ZipWriter, open_archive
from tests.core.zips_forge import assert_info_zip_reads

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]

NOW = datetime(2026, 11, 20, 10, 44, 30, tzinfo=UTC)
HUGE = 42 * (1 << 30) // 10


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "huge.zip"
    (tmp_path / "huge.zip").unlink(missing_ok=True)


@pytest.fixture
def sparse(tmp_path: Path) -> Iterator[BinaryIO]:
    """A file of 4.2 GiB that takes no room, with a word at its end."""
    with (tmp_path / "sparse").open("w+b") as file:
        file.seek(HUGE - 3)
        file.write(b"end")
        file.seek(0)
        yield file


@pytest.mark.parametrize("known", [True, False], ids=["size known", "size unknown"])
def test_a_member_of_more_than_4_gib(path: Path, sparse: BinaryIO, known: bool) -> None:
    """T41: the member is wide, the archive is not."""
    with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
        member = writer.add("framerr.db", sparse, size=HUGE if known else None)
        writer.add_bytes("manifest.json", b"{}")
    assert member.size == HUGE
    assert_info_zip_reads(path)
    with zipfile.ZipFile(path) as stock:
        assert [info.file_size for info in stock.infolist()] == [HUGE, 2]
        assert stock.read("manifest.json") == b"{}"
    with open_archive(path) as archive:
        assert archive.digest("framerr.db") == (HUGE, member.sha256)


def test_an_archive_of_more_than_4_gib(path: Path, sparse: BinaryIO) -> None:
    """T41: what lies behind a stored member of 4.2 GiB has a wide offset, and so has the directory."""
    with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
        member = writer.add("content/assets/ab/0123", sparse, size=HUGE, store=True)
        writer.add_bytes("manifest.json", b"{}")
    assert path.stat().st_size > HUGE
    with zipfile.ZipFile(path) as stock:
        assert stock.read("manifest.json") == b"{}"
    assert_info_zip_reads(path)
    with open_archive(path) as archive:
        assert archive.read("manifest.json") == b"{}"
        assert archive.digest("content/assets/ab/0123") == (HUGE, member.sha256)
        span = archive.stored_span("content/assets/ab/0123")
    with path.open("rb") as file:
        file.seek(span.offset + span.size - 3)
        assert file.read(3) == b"end"


def test_a_member_of_more_than_4_gib_through_a_pipe(path: Path, sparse: BinaryIO) -> None:
    """T41: the sizes behind the data are wide."""
    with path.open("wb") as target, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=target) as cat:
        assert cat.stdin
        with cat.stdin as sink, ZipWriter(sink, now=NOW) as writer:  # type: ignore[arg-type]
            member = writer.add("framerr.db", sparse)
            writer.add_bytes("manifest.json", b"{}")
    assert_info_zip_reads(path)
    with open_archive(path) as archive:
        assert archive.digest("framerr.db") == (HUGE, member.sha256)


@pytest.mark.parametrize("members", [65_534, 65_535, 65_536, 70_000])
def test_an_archive_of_more_than_65535_members(path: Path, members: int) -> None:
    with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
        for number in range(members):
            writer.add_bytes(f"custom-icons/{number}.svg", b"<svg/>")
    with zipfile.ZipFile(path) as stock:
        assert len(stock.namelist()) == members
    assert_info_zip_reads(path)
    with open_archive(path, Limits(members=members)) as archive:
        assert archive.names() == tuple(f"custom-icons/{number}.svg" for number in range(members))
    with pytest.raises(LimitExceeded), open_archive(path):
        pass
