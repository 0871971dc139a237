"""Whatever is written is read back, around every border where the writer changes its way."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from framerr.core.errors import FramerrError, InvalidInput
from framerr.core.zips import ZipWriter, check_name, open_archive
from framerr.core.zips.deflate import ENGINE, STANDARD, WINDOW, Engine
from framerr.core.zips.names import NameBook, folded
from framerr.core.zips.records import (
    END_SIZE,
    LOCATOR_SIZE,
    WIDE_END_SIZE,
    End,
    Record,
    pack_central,
    pack_end,
    unpack_directory,
    unpack_end,
    unpack_locator,
    unpack_wide_end,
)
from framerr.core.zips.streams import PIECE

NOW = datetime(2026, 11, 20, 10, 44, 30, tzinfo=UTC)


class Pipe(io.BytesIO):
    """A sink that cannot go back."""

    def seekable(self) -> bool:
        return False


def content(size: int, kind: str, seed: int) -> bytes:
    chance = random.Random(seed)
    if kind == "noise":
        return chance.randbytes(size)
    if kind == "zeros":
        return bytes(size)
    # Repeats from just inside and just outside of the window, so that blocks point back across their border.
    period = chance.randbytes(chance.choice([7, WINDOW - 1, WINDOW, WINDOW + 1]))
    return (period * (size // len(period) + 1))[:size]


sizes = st.one_of(
    st.integers(0, 300),
    st.builds(lambda pieces, by: max(0, pieces * PIECE + by), st.integers(0, 5), st.integers(-2, 2)),
    st.builds(
        lambda pieces, by: pieces * PIECE + by, st.integers(1, 4), st.sampled_from([-WINDOW, 1 - WINDOW, WINDOW])
    ),
    st.integers(0, 4 * PIECE),
)
members = st.tuples(
    sizes,
    st.sampled_from(["noise", "zeros", "periods"]),
    st.sampled_from([True, False, None]),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(
    files=st.lists(members, max_size=4),
    seed=st.integers(0, 1 << 32),
    threads=st.integers(1, 4),
    engines=st.permutations([ENGINE, STANDARD]),
    piped=st.booleans(),
)
def test_what_is_written_is_read_back(
    files: list[tuple[int, str, bool | None, bool]], seed: int, threads: int, engines: list[Engine], piped: bool
) -> None:
    writing, reading = engines
    sink = Pipe() if piped else io.BytesIO()
    wanted = {f"{number}.json": content(size, kind, seed) for number, (size, kind, _, _) in enumerate(files)}
    with ZipWriter(sink, now=NOW, engine=writing, threads=threads) as writer:
        for (name, data), (_, _, store, known) in zip(wanted.items(), files, strict=True):
            writer.add(name, io.BytesIO(data), size=len(data) if known else None, store=store)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.zip"
        path.write_bytes(sink.getvalue())
        with open_archive(path, engine=reading) as archive:
            assert {name: b"".join(archive.pieces(name)) for name in archive.names()} == wanted
            proofs = [(name, *archive.digest(name)) for name in archive.names()]
        with zipfile.ZipFile(path) as stock:
            assert {name: stock.read(name) for name in stock.namelist()} == wanted
    assert proofs == [(member.name, member.size, member.sha256) for member in writer.members]
    assert [member.sha256 for member in writer.members] == [
        hashlib.sha256(data).hexdigest() for data in wanted.values()
    ]


borders = st.one_of(
    st.integers(0, 1 << 40),
    st.builds(lambda border, by: border + by, st.sampled_from([1 << 16, 1 << 32]), st.integers(-2, 2)),
)


@settings(max_examples=300)
@given(st.lists(st.tuples(borders, borders, borders), min_size=1, max_size=4), borders, borders, borders)
def test_values_are_kept_past_every_border_of_the_format(
    values: list[tuple[int, int, int]], count: int, length: int, offset: int
) -> None:
    """T41 without the bytes: sizes, offsets and counts around 65,535 and 4 GiB."""
    wanted = [
        Record(b"a.json", "a.json", 0x800, 8, 33, 7, packed_size=packed, size=size, offset=at)
        for size, packed, at in values
    ]
    assert list(unpack_directory(b"".join(map(pack_central, wanted)))) == wanted
    packed_end = pack_end(count, length, offset)
    found = unpack_end(packed_end[-END_SIZE:])
    if len(packed_end) > END_SIZE:
        assert unpack_locator(packed_end[-END_SIZE - LOCATOR_SIZE : -END_SIZE]) == offset + length
        found, taken = unpack_wide_end(packed_end[:WIDE_END_SIZE], found)
        assert taken == WIDE_END_SIZE
    assert found == End(count, length, offset)


names = st.text(st.sampled_from("aAé\u0301eß/.\\:\x00 Cocnßſ🙂"), min_size=1, max_size=8)


@settings(max_examples=300)
@given(st.lists(names, max_size=6))
@example(["a/b", "A"])
@example(["é", "e\u0301"])
def test_names_that_are_admitted_are_different_files_on_every_system(candidates: list[str]) -> None:
    """T25: no two admitted names meet on a file system that ignores case or accents, none climbs."""
    book = NameBook()
    admitted: list[str] = []
    for name in candidates:
        try:
            book.admit(name)
        except InvalidInput:
            continue
        admitted.append(name)
    files = [folded(name) for name in admitted if not name.endswith("/")]
    assert len(set(files)) == len(files)
    for name in admitted:
        check_name(name)
        parts = folded(name.removesuffix("/")).split("/")
        assert ".." not in parts
        assert not any("/".join(parts[:depth]) in files for depth in range(1, len(parts)))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 60))
def test_no_bytes_make_the_reader_fail_in_an_unknown_way(new: bytes, at: int, cut: int) -> None:
    """Whatever is written over an archive, reading it ends in its content or in an error with a sentence."""
    sink = io.BytesIO()
    with ZipWriter(sink, now=NOW) as writer:
        writer.add_bytes("framerr.db", b"SQLite format 3" * 20)
        writer.add_bytes("manifest.json", b"{}")
    whole = sink.getvalue()
    broken = (whole[:at] + new + whole[at + len(new) :])[: len(whole) - cut]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.zip"
        path.write_bytes(broken)
        with suppress(FramerrError), open_archive(path) as archive:
            for name in archive.names():
                archive.digest(name)
