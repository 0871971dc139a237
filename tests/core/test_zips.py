"""Writing archives: what is finished reads back everywhere, what is not finished is not an archive."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import io
import os
import shutil
import stat
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from framerr.core.errors import Cancelled, Conflict, FramerrError, InvalidInput
from framerr.core.zips import ENGINE, Member, ZipWriter, is_compressed, open_archive
from framerr.core.zips.deflate import STANDARD, Engine
from framerr.core.zips.streams import PIECE
from tests.core.zips_forge import assert_info_zip_reads, noise, text

NOW = datetime(2026, 11, 20, 10, 44, 30, tzinfo=UTC)


FILES = {
    "framerr.db": text(3 * PIECE + 12_345),
    "profile-pictures/ünïcode 🙂.png": noise(20_000),
    "custom-icons/nested/deeper/icon.svg": b"<svg>" + b"<path/>" * 400 + b"</svg>",
    "favicon/empty": b"",
    "content/readable/exactly-one-piece.json": text(PIECE),
    "movie.mp4": noise(2 * PIECE + 1),
    "manifest.json": b'{"format": 1}',
}


def write(sink: BinaryIO, files: dict[str, bytes], engine: Engine = ENGINE, threads: int = 2) -> tuple[Member, ...]:
    with ZipWriter(sink, now=NOW, engine=engine, threads=threads) as writer:
        for name, data in files.items():
            writer.add(name, io.BytesIO(data), size=len(data))
    return writer.members


def assert_reads_everywhere(path: Path, files: dict[str, bytes]) -> None:
    """With the standard library, with Info-ZIP and with the product's own reader: same names, same bytes."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(files)
        assert {name: archive.read(name) for name in files} == files
    assert_info_zip_reads(path)
    with open_archive(path) as own:
        assert own.names() == tuple(files)
        assert {name: b"".join(own.pieces(name)) for name in files} == files


def assert_no_archive(path: Path) -> None:
    assert not zipfile.is_zipfile(path)
    with pytest.raises(FramerrError), open_archive(path):
        pass


class FailingSource(io.RawIOBase):
    """A file on a dying disk: input/output error after `good` bytes."""

    def __init__(self, good: int) -> None:
        self._left = good

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left:
            raise OSError(errno.EIO, "Input/output error")
        given = min(self._left, len(buffer))
        buffer[:given] = b"x" * given
        self._left -= given
        return given


class SmallSteps(io.BytesIO):
    """A sink or source that gives and takes at most 1,000 bytes at a time, as pipes and raw files may."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return super().write(data[:1000])

    def read(self, count: int | None = -1) -> bytes:
        return super().read(1000 if count is None or count < 0 else min(count, 1000))


# --- what is finished -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("engine", [ENGINE, STANDARD], ids=lambda engine: f"{engine.name}")
def test_a_finished_archive_reads_back_with_every_tool(tmp_path: Path, engine: Engine, threads: int) -> None:
    """R-002-2: an ordinary ZIP, whatever library and however many threads packed it."""
    path = tmp_path / "a.zip"
    with path.open("wb") as sink:
        write(sink, FILES, engine, threads)
    assert_reads_everywhere(path, FILES)


def test_every_member_comes_with_its_size_and_hash() -> None:
    members = write(io.BytesIO(), FILES)
    proven = [(member.name, member.size, member.sha256) for member in members]
    assert proven == [(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in FILES.items()]


def test_the_same_files_at_the_same_time_are_the_same_bytes_for_any_number_of_threads() -> None:
    made = []
    for threads in (1, 2, 5):
        sink = io.BytesIO()
        write(sink, FILES, threads=threads)
        made.append(sink.getvalue())
    assert made[0] == made[1] == made[2]


def test_members_carry_the_given_time_mode_0600_and_utf8_names() -> None:
    sink = io.BytesIO()
    write(sink, FILES)
    with zipfile.ZipFile(sink) as archive:
        for info in archive.infolist():
            assert info.date_time == (2026, 11, 20, 10, 44, 30)
            assert info.external_attr >> 16 == stat.S_IFREG | 0o600
            assert info.flag_bits & 0x800


@pytest.mark.parametrize(("year", "told"), [(1970, (1980, 1, 1, 0, 0, 0)), (2200, (2107, 3, 4, 5, 6, 8))])
def test_a_clock_outside_of_what_zip_can_say_does_not_stop_a_backup(year: int, told: tuple[int, ...]) -> None:
    sink = io.BytesIO()
    with ZipWriter(sink, now=datetime(year, 3, 4, 5, 6, 8, tzinfo=UTC)) as writer:
        writer.add_bytes("a", b"1")
    with zipfile.ZipFile(sink) as archive:
        assert archive.infolist()[0].date_time == told


def test_packed_types_and_what_does_not_shrink_are_stored_the_rest_is_deflated() -> None:
    sink = io.BytesIO()
    with ZipWriter(sink, now=NOW) as writer:
        writer.add_bytes("photo.JPEG", text(5000))
        writer.add_bytes("noise.json", noise(5000))
        writer.add_bytes("words.json", text(5000))
        writer.add_bytes("words.png", text(5000), store=False)
        writer.add("content/assets/ab/0123", io.BytesIO(text(2 * PIECE)), store=True)
    with zipfile.ZipFile(sink) as archive:
        methods = {info.filename: info.compress_type for info in archive.infolist()}
    assert methods == {
        "photo.JPEG": zipfile.ZIP_STORED,
        "noise.json": zipfile.ZIP_STORED,
        "words.json": zipfile.ZIP_DEFLATED,
        "words.png": zipfile.ZIP_DEFLATED,
        "content/assets/ab/0123": zipfile.ZIP_STORED,
    }


def test_endings_are_read_without_case_and_as_a_whole() -> None:
    assert [is_compressed(name) for name in ("a/b.PNG", "a.tar.gz", "gif", "a.svg", "x.gifs", "framerr.db")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_an_empty_archive_is_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    with path.open("wb") as sink:
        write(sink, {})
    with open_archive(path) as archive:
        assert archive.names() == ()
    assert zipfile.ZipFile(path).namelist() == []


def test_the_fast_library_is_used_where_its_wheel_is_installed() -> None:
    assert ENGINE.name == ("ISA-L" if importlib.util.find_spec("isal") else "zlib")


def test_an_archive_may_start_in_the_middle_of_a_file() -> None:
    """The offsets count from where the writer began, so that an archive can lie inside another file."""
    sink = io.BytesIO()
    sink.write(b"outer header")
    write(sink, FILES)
    with zipfile.ZipFile(io.BytesIO(sink.getvalue()[12:])) as archive:
        assert archive.testzip() is None


def test_a_sink_that_takes_little_at_a_time_gets_everything() -> None:
    sink = SmallSteps()
    write(sink, FILES)
    with zipfile.ZipFile(sink) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


def test_a_source_that_gives_little_at_a_time_is_read_to_its_end() -> None:
    """T11: short reads are not the end."""
    data = text(PIECE + 5000)
    sink = io.BytesIO()
    with ZipWriter(sink, now=NOW) as writer:
        member = writer.add("a.json", SmallSteps(data), size=len(data))
    assert (member.size, member.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_an_archive_goes_through_a_pipe(tmp_path: Path) -> None:
    """A pipe cannot go back: sizes stand behind the data, and every tool still reads the archive."""
    path = tmp_path / "piped.zip"
    reading, writing = os.pipe()

    def drain() -> None:
        with os.fdopen(reading, "rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)

    drainer = threading.Thread(target=drain)
    drainer.start()
    with os.fdopen(writing, "wb", buffering=0) as sink:
        write(sink, FILES)
    drainer.join()
    assert_reads_everywhere(path, FILES)


def test_progress_hears_every_byte_once() -> None:
    heard: list[int] = []
    with ZipWriter(io.BytesIO(), now=NOW) as writer:
        writer.add("a", io.BytesIO(text(2 * PIECE + 7)), on_bytes=heard.append)
        writer.add("b", io.BytesIO(b"12345"), on_bytes=heard.append)
    assert heard == [PIECE, PIECE, 7, 5]


def test_the_archive_says_how_long_it_is() -> None:
    sink = io.BytesIO()
    with ZipWriter(sink, now=NOW) as writer:
        writer.add_bytes("a", b"1")
        assert writer.size == len(sink.getvalue())
    assert writer.size == len(sink.getvalue())


def test_a_sink_that_does_not_say_what_it_took_is_refused() -> None:
    class Silent(io.BytesIO):
        def write(self, data: bytes) -> None:  # type: ignore[override]
            super().write(data)

    with pytest.raises(BlockingIOError, match="say how much"):
        write(Silent(), FILES)


def test_memory_does_not_grow_with_the_member() -> None:
    class Endless(io.RawIOBase):
        left = 96 * PIECE

        def read(self, count: int = -1) -> bytes:
            given = min(count, self.left)
            self.left -= given
            return b"\x00" * given

    with open(os.devnull, "wb") as sink:
        tracemalloc.start()
        try:
            with ZipWriter(sink, now=NOW) as writer:
                writer.add("framerr.db", Endless())  # type: ignore[arg-type]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 12 * PIECE


# --- what is not finished ---------------------------------------------------------------------------------------------


def test_an_error_between_members_leaves_no_archive(tmp_path: Path) -> None:
    """T01: the standard library would have written a directory here and called it good."""
    path = tmp_path / "a.zip"

    def fail_between_members() -> None:
        with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
            writer.add_bytes("framerr.db", text(5000))
            raise RuntimeError("the next file is missing")

    with pytest.raises(RuntimeError, match="the next file is missing"):
        fail_between_members()
    assert_no_archive(path)


@pytest.mark.parametrize("good", [0, 10, PIECE - 1, PIECE, 3 * PIECE + 5])
def test_an_error_inside_a_member_leaves_no_archive(tmp_path: Path, good: int) -> None:
    """T02: the source dies with EIO."""
    path = tmp_path / "a.zip"

    def fail_inside_a_member() -> None:
        with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
            writer.add_bytes("first", b"whole")
            writer.add("framerr.db", FailingSource(good))  # type: ignore[arg-type]

    with pytest.raises(OSError, match="Input/output error"):
        fail_inside_a_member()
    assert_no_archive(path)


def test_an_error_that_is_swallowed_still_leaves_no_archive(tmp_path: Path) -> None:
    """T02: who catches the error and goes on does not get an archive with a hole in it."""
    path = tmp_path / "a.zip"

    def swallow_and_go_on() -> None:
        with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
            with pytest.raises(OSError, match="Input/output error"):
                writer.add("framerr.db", FailingSource(2 * PIECE))  # type: ignore[arg-type]
            with pytest.raises(Conflict, match="broken"):
                writer.add_bytes("manifest.json", b"{}")

    with pytest.raises(Conflict, match="Start again"):
        swallow_and_go_on()
    assert_no_archive(path)


def test_a_stored_archive_inside_does_not_pass_for_the_broken_one_outside(tmp_path: Path) -> None:
    """T01: the last bytes of a stored ZIP are a directory of their own, which lenient readers would take."""
    inner = io.BytesIO()
    write(inner, {"manifest.json": b"{}"})
    path = tmp_path / "a.zip"

    def fail_after_a_stored_zip() -> None:
        with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
            writer.add_bytes("framerr.db", text(5000))
            writer.add_bytes("upload.zip", inner.getvalue())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_after_a_stored_zip()
    assert path.read_bytes() == b""


def test_a_full_disk_while_the_directory_is_written_leaves_no_archive() -> None:
    """T04: the error comes out of the writer, not out of a later close."""

    class FullFrom(io.BytesIO):
        room = 400

        def write(self, data: bytes) -> int:  # type: ignore[override]
            if self.tell() + len(data) > self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    sink = FullFrom()
    with pytest.raises(OSError, match="No space left"):
        write(sink, {f"icon-{number}.svg": b"<svg/>" for number in range(5)})
    assert sink.getvalue() == b""


def test_a_full_device_is_the_error_it_is() -> None:
    """T04: what cannot even be emptied does not hide the first reason."""
    with (
        open("/dev/full", "wb", buffering=0) as sink,
        pytest.raises(OSError, match="No space left"),
        ZipWriter(sink, now=NOW) as writer,
    ):
        writer.add_bytes("a", b"1")


@pytest.mark.parametrize("pieces", [1, 5])
def test_cancelling_ends_the_archive_and_its_threads(tmp_path: Path, pieces: int) -> None:
    def cancel(_: int) -> None:
        nonlocal pieces
        pieces -= 1
        if not pieces:
            raise Cancelled("Stopped.")

    path = tmp_path / "a.zip"

    def cancel_midway() -> None:
        with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
            writer.add("framerr.db", io.BytesIO(text(8 * PIECE)), on_bytes=cancel)

    with pytest.raises(Cancelled):
        cancel_midway()
    assert_no_archive(path)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("deflate")]


@pytest.mark.parametrize(
    ("declared", "given"), [(10, 9), (10, 11), (0, 1), (3 * PIECE, 3 * PIECE - 10), (PIECE, 4 * PIECE)]
)
def test_a_file_that_gives_another_size_than_it_has_stops_the_archive(declared: int, given: int) -> None:
    """T11: a short read of a backup source is not a smaller backup."""
    sink = io.BytesIO()
    with pytest.raises(Conflict, match="changed meanwhile"), ZipWriter(sink, now=NOW) as writer:
        writer.add("framerr.db", io.BytesIO(text(given)), size=declared)
    assert sink.getvalue() == b""


def add_twice(writer: ZipWriter) -> None:
    writer.add_bytes("Logo.svg", b"1")
    writer.add_bytes("logo.SVG", b"2")


def add_climbing(writer: ZipWriter) -> None:
    writer.add_bytes("../framerr.db", b"1")


def add_device(writer: ZipWriter) -> None:
    writer.add_bytes("content/readable/site/con.json", b"1")


@pytest.mark.parametrize("add", [add_twice, add_climbing, add_device])
def test_names_that_a_reader_would_refuse_are_not_written(add: Callable[[ZipWriter], None]) -> None:
    """T25 seen from the other side: no backup is made that cannot be restored."""
    with pytest.raises(InvalidInput), ZipWriter(io.BytesIO(), now=NOW) as writer:
        add(writer)


def test_nothing_is_added_before_the_block_or_after_it() -> None:
    writer = ZipWriter(io.BytesIO(), now=NOW)
    with pytest.raises(Conflict, match="new"):
        writer.add_bytes("early", b"1")
    with writer:
        writer.add_bytes("in time", b"1")
    with pytest.raises(Conflict, match="finished"):
        writer.add_bytes("late", b"1")
