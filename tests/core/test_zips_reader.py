"""Reading archives that come from anybody: taken whole, or refused in a sentence before a byte is unpacked."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from framerr.core.errors import Cancelled, Conflict, Corrupt, FramerrError, InvalidInput, LimitExceeded, NotFound
from framerr.core.files import size_in_words
from framerr.core.zips import Limits, Proof, ZipWriter, check_name, open_archive
from framerr.core.zips.deflate import ENGINE, STANDARD, Engine
from framerr.core.zips.streams import PIECE
from tests.core.zips_forge import Forged, deflated, forge, noise, text

NOW = datetime(2026, 11, 20, 10, 44, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload.zip"


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with path.open("wb") as sink, ZipWriter(sink, now=NOW) as writer:
        for name, data in files.items():
            writer.add_bytes(name, data)
    return path


def opened_names(path: Path, data: bytes, limits: Limits | None = None) -> tuple[str, ...]:
    path.write_bytes(data)
    with open_archive(path, limits) as archive:
        return archive.names()


def patched(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


# --- refused on sight: T25 --------------------------------------------------------------------------------------------

HONEST = Forged(b"manifest.json", b"{}")

UNSAFE_NAMES = {
    "absolute": (b"/etc/passwd", "absolute path"),
    "parent": (b"../../x", "leads through"),
    "parent inside": (b"a/../../x", "leads through"),
    "parent at the end": (b"a/..", "leads through"),
    "dot": (b"./a", "leads through"),
    "empty part": (b"a//b", "leads through"),
    "drive": (b"C:/windows/x", "drive letter"),
    "drive relative": (b"c:x", "drive letter"),
    "backslash": (b"..\\..\\x", "backslashes"),
    "backslash root": (b"\\server\\share", "backslashes"),
    "NUL": (b"a\x00.png", "NUL"),
    "newline": (b"a\nb", "control character"),
    "empty": (b"", "it is empty"),
    "only a slash": (b"/", "it is empty"),
    "device": (b"CON", "device"),
    "device with an ending": (b"icons/nul.png", "device"),
    "device with a space": (b"aux .txt", "device"),
    "numbered device": (b"com1", "device"),
    "superscript device": ("LPT²".encode(), "device"),
    "device as a folder": (b"prn/x", "device"),
    "too long a part": (b"x" * 256, "longer than"),
    "too long in all": (b"/".join([b"x" * 200] * 6), "longer than"),
}


@pytest.mark.parametrize(("name", "why"), UNSAFE_NAMES.values(), ids=UNSAFE_NAMES)
def test_names_that_leave_the_folder_or_reach_a_device_are_refused(path: Path, name: bytes, why: str) -> None:
    """T25"""
    with pytest.raises(InvalidInput, match=why) as refused:
        opened_names(path, forge(HONEST, Forged(name, flags=0x800)))
    assert "\x00" not in refused.value.message
    assert refused.value.message.endswith("use another archive.")


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a/b.c",
        "icons/ünï 🙂.svg",
        "console.log",
        "com10",
        "lpt",
        "a..b",
        "...",
        "nullable",
        "xy:z",
        "a b",
        "x" * 255,
    ],
)
def test_ordinary_names_are_taken(name: str) -> None:
    check_name(name)


def test_a_name_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not valid Unicode"):
        check_name("a\udc80")


SPECIAL_FILES = {
    "symbolic link": (0o120777, "is a link"),
    "character device": (0o020666, "special file"),
    "block device": (0o060666, "special file"),
    "pipe": (0o010666, "special file"),
    "socket": (0o140666, "special file"),
    "folder named as a file": (0o040755, "special file"),
}


@pytest.mark.parametrize(("mode", "why"), SPECIAL_FILES.values(), ids=SPECIAL_FILES)
@pytest.mark.parametrize("made_by", [3 << 8, 0], ids=["unix", "dos"])
def test_links_and_devices_are_refused(path: Path, mode: int, why: str, made_by: int) -> None:
    """T25: a link first and a file through it afterwards is how archives write elsewhere."""
    with pytest.raises(InvalidInput, match=why):
        opened_names(path, forge(Forged(b"icons", b"/etc", mode=mode, made_by=made_by), Forged(b"b")))


CLASHES = {
    "exact": (b"a.png", b"a.png", "twice"),
    "case": (b"Logo.svg", b"logo.SVG", "same place"),
    "case beyond ASCII": ("Straße".encode(), b"STRASSE", "same place"),
    "accents": ("caf\u00e9".encode(), "cafe\u0301".encode(), "same place"),
    "file, then folder": (b"a", b"a/b", "same place"),
    "folder, then file": (b"a/b/c", b"A", "same place"),
    "folder entry and file": (b"a/", b"a", "same place"),
    "file and folder entry": (b"a", b"a/", "same place"),
}


@pytest.mark.parametrize(("first", "second", "why"), CLASHES.values(), ids=CLASHES)
def test_two_names_for_one_place_are_refused(path: Path, first: bytes, second: bytes, why: str) -> None:
    """T25"""
    members = [Forged(name, b"" if name.endswith(b"/") else b"x", flags=0x800, mode=0) for name in (first, second)]
    with pytest.raises(InvalidInput, match=why):
        opened_names(path, forge(*members))


def test_too_many_files_are_refused_before_the_list_is_read(path: Path) -> None:
    """T25: 10^5 members, as a full archive and as an end record that only claims them."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"{number}", b"")
    with pytest.raises(LimitExceeded, match="100,000 files; at most 50,000"), open_archive(path):
        pass
    with pytest.raises(LimitExceeded, match="60,000 files"):
        opened_names(path, forge(HONEST, count=60_000))


def test_a_list_that_is_too_long_to_be_one_is_refused(path: Path) -> None:
    ballast = struct.pack("<HH", 0xCAFE, 65_531) + bytes(65_531)
    padded = [Forged(f"{number}".encode(), extra=ballast) for number in range(400)]
    with pytest.raises(LimitExceeded, match="list of files alone"):
        opened_names(path, forge(*padded))


def test_a_bomb_is_refused_and_a_raised_limit_lets_it_in(path: Path) -> None:
    """T25: 1000:1"""
    bomb = forge(HONEST, Forged(b"zeros", bytes(20 * PIECE), method=8))
    with pytest.raises(LimitExceeded, match="500 times"):
        opened_names(path, bomb)
    assert opened_names(path, bomb, Limits(ratio=2000)) == ("manifest.json", "zeros")


def test_many_small_bombs_are_one_large_one(path: Path) -> None:
    small = [Forged(f"{number}".encode(), bytes(PIECE), method=8) for number in range(30)]
    with pytest.raises(LimitExceeded, match="The archive would unpack"):
        opened_names(path, forge(*small))


def test_well_packed_small_files_are_no_bomb(path: Path) -> None:
    assert opened_names(path, forge(Forged(b"zeros", bytes(PIECE), method=8))) == ("zeros",)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(member_size=99), "“a” would unpack to 100"),
        (Limits(total_size=199), "The archive would unpack to 200"),
        (Limits(members=1), "2 files; at most 1 "),
        (Limits.up_to(99), "“a” would unpack"),
    ],
)
def test_sizes_are_limited_each_and_together(path: Path, limits: Limits, why: str) -> None:
    archive = forge(Forged(b"a", b"x" * 100), Forged(b"b", b"y" * 100))
    with pytest.raises(LimitExceeded) as refused:
        opened_names(path, archive, limits)
    assert why in refused.value.message.replace("\u00a0", " ")
    assert opened_names(path, archive, Limits(members=2, total_size=200, member_size=100)) == ("a", "b")


def test_overlapping_members_are_refused(path: Path) -> None:
    """T25: a quoted-overlap bomb unpacks the same bytes again and again."""
    kernel = Forged(b"a", b"x" * 500)
    quoted = Forged(b"a", b"x" * 500, offset=0)
    with pytest.raises((Corrupt, InvalidInput)):
        opened_names(path, forge(kernel, quoted))
    inner = Forged(b"b", b"y" * 10)
    outer = Forged(b"a", inner.local() + inner.body)
    twice = Forged(b"b", b"y" * 10, offset=len(Forged(b"a").local()))
    with pytest.raises(Corrupt, match="shares bytes"):
        opened_names(path, forge(outer, twice))


def test_a_member_that_reaches_into_the_list_is_refused(path: Path) -> None:
    with pytest.raises(Corrupt, match="shares bytes"):
        opened_names(path, forge(HONEST, Forged(b"a", method=8, packed_size=300)))


KINDS = {
    "encrypted": (Forged(b"a", flags=0x1), InvalidInput, "encrypted with a ZIP password"),
    "strongly encrypted": (Forged(b"a", flags=0x41), InvalidInput, "encrypted with a ZIP password"),
    "AES": (Forged(b"a", method=99, flags=0x1), InvalidInput, "encrypted with a ZIP password"),
    "masked": (Forged(b"a", flags=0x2000), InvalidInput, "encrypted with a ZIP password"),
    "bzip2": (Forged(b"a", method=12), InvalidInput, r"method 12"),
    "zstd": (Forged(b"a", method=93), InvalidInput, r"method 93"),
    "deflate64": (Forged(b"a", method=9), InvalidInput, r"method 9\)"),
    "patched": (Forged(b"a", flags=0x20), InvalidInput, "not read here"),
    "a future ZIP": (Forged(b"a", needed=148), Corrupt, "list of files is damaged"),
    "folder with content": (Forged(b"a/", b"x", mode=0), InvalidInput, "content of its own"),
    "stored with two sizes": (Forged(b"a", b"abc", size=5), Corrupt, "two different sizes"),
    "local name": (Forged(b"a.png", local_name=b"b.png"), Corrupt, "differ"),
    "longer local name": (Forged(b"a.png", local_name=b"a.png.exe"), Corrupt, "does not start where"),
    "shorter local name": (Forged(b"a.png", b"content", local_name=b"a.pn"), Corrupt, "differ"),
    "local method": (Forged(b"a", local_method=8), Corrupt, "differ"),
    "local checksum": (Forged(b"a", local_crc=1), Corrupt, "differ"),
    "local size": (Forged(b"a", local_size=3), Corrupt, "differ"),
    "local encryption": (Forged(b"a", local_flags=1), Corrupt, "differ"),
    "no member there": (Forged(b"a", offset=3), Corrupt, "does not start where"),
    "outside": (Forged(b"a", offset=0x7FFFFFFF), Corrupt, "shares bytes"),
    "invalid UTF-8": (Forged(b"a\xff", flags=0x800), Corrupt, "list of files is damaged"),
}


@pytest.mark.parametrize(("member", "kind", "why"), KINDS.values(), ids=KINDS)
def test_what_cannot_be_read_as_it_stands_is_refused(
    path: Path, member: Forged, kind: type[FramerrError], why: str
) -> None:
    with pytest.raises(kind, match=why):
        opened_names(path, forge(member, HONEST))


def end_of(data: bytes) -> int:
    return data.rfind(b"PK\x05\x06")


HONEST_BYTES = forge(HONEST, Forged(b"b", b"bb"))

BROKEN_FILES = {
    "nothing": (b"", InvalidInput, "not a ZIP"),
    "text": (b"This is a text file and no archive at all.", InvalidInput, "not a ZIP"),
    "another archive": (b"\x1f\x8b\x08" + bytes(100), InvalidInput, "not a ZIP"),
    "a program in front": (forge(HONEST, before=b"#!/bin/sh\n"), InvalidInput, "not a ZIP"),
    "an archive in front": (forge(HONEST, before=HONEST_BYTES), Corrupt, "missing or too many"),
    "cut in the end record": (HONEST_BYTES[:-1], Corrupt, "cut off"),
    "cut in the list": (HONEST_BYTES[: end_of(HONEST_BYTES) - 5], Corrupt, "cut off"),
    "cut in the first file": (HONEST_BYTES[:40], Corrupt, "cut off"),
    "bytes after the end": (HONEST_BYTES + b"\x00", Corrupt, "cut off"),
    "a list elsewhere": (
        patched(HONEST_BYTES, end_of(HONEST_BYTES) + 16, b"\x00\x00\x00\x00"),
        Corrupt,
        "missing or too many",
    ),
    "one file not listed": (forge(HONEST, count=2), Corrupt, "has 2 files and lists 1"),
    "one file too many listed": (forge(HONEST, Forged(b"b"), count=1), Corrupt, "has 1 files and lists 2"),
    "a split archive": (forge(HONEST, disk=1), InvalidInput, "split"),
    "a list that is none": (
        patched(HONEST_BYTES, HONEST_BYTES.find(b"PK\x01\x02"), b"PKxx"),
        Corrupt,
        "list of files is damaged",
    ),
}


@pytest.mark.parametrize(("data", "kind", "why"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_what_is_not_a_whole_archive_is_refused(path: Path, data: bytes, kind: type[FramerrError], why: str) -> None:
    with pytest.raises(kind, match=why):
        opened_names(path, data)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    """A pipe among the archives must not hold the list up."""
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(InvalidInput, match="is not a file"), open_archive(tmp_path / "pipe.zip"):
        pass
    with pytest.raises(InvalidInput, match="is not a file"), open_archive(tmp_path):
        pass
    with pytest.raises(NotFound, match=r"gone\.zip"), open_archive(tmp_path / "gone.zip"):
        pass


# --- wide archives ----------------------------------------------------------------------------------------------------


def wide_archive(members: int = 1, size_change: int = 0, locator_change: int = 0, length: int = 44) -> bytes:
    """An archive with a ZIP64 end although it needs none, as some tools write it."""
    plain = forge(HONEST)
    at = end_of(plain)
    listed, directory_size, offset = struct.unpack_from("<HII", plain, at + 10)
    assert listed == 1
    wide = struct.pack(
        "<IQHHIIQQQQ", 0x06064B50, length, 45, 45, 0, 0, members, members, directory_size + size_change, offset
    ) + struct.pack("<IIQI", 0x07064B50, 0, at + locator_change, 1)
    return plain[:at] + wide + plain[at:]


def test_an_archive_may_have_a_wide_end_without_need(path: Path) -> None:
    assert opened_names(path, wide_archive()) == ("manifest.json",)


@pytest.mark.parametrize(
    "data",
    [
        wide_archive(members=2),
        wide_archive(size_change=1),
        wide_archive(locator_change=3),
        wide_archive(locator_change=999),
        wide_archive(length=43),
    ],
)
def test_a_wide_end_that_says_something_else_is_refused(path: Path, data: bytes) -> None:
    with pytest.raises(Corrupt, match="contradicts itself"):
        opened_names(path, data)


def test_an_entry_may_keep_its_values_in_a_wide_field(path: Path) -> None:
    """Also behind another field, and also where there would have been room."""
    full = 0xFFFFFFFF
    extra = struct.pack("<HHI", 0xCAFE, 4, 7) + struct.pack("<HHQQQ", 1, 24, 7, 7, 0)
    data = forge(Forged(b"a", size=full, packed_size=full, offset=full, extra=extra))
    assert opened_names(path, data) == ("a",)


@pytest.mark.parametrize("extra", [b"", struct.pack("<HHQ", 1, 8, 7), struct.pack("<HHI", 2, 4, 7)])
def test_an_entry_without_the_wide_field_it_needs_is_refused(path: Path, extra: bytes) -> None:
    with pytest.raises((Corrupt, LimitExceeded)):
        opened_names(path, forge(Forged(b"a", size=0xFFFFFFFF, packed_size=0xFFFFFFFF, extra=extra)))


# --- archives of other tools ------------------------------------------------------------------------------------------


def by_zipfile(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("icons")
        archive.writestr("icons/a.svg", text(5000))
        archive.writestr("b", noise(100))
        archive.comment = b"PK\x05\x06 made by hand"


def by_zipfile_into_a_pipe(path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError("a pipe")

        def tell(self) -> int:
            raise OSError("a pipe")

    sink = Pipe()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("icons/a.svg", text(5000))
        with archive.open("b", "w", force_zip64=True) as member:
            member.write(noise(100))
    path.write_bytes(sink.getvalue())


@pytest.mark.parametrize("make", [by_zipfile, by_zipfile_into_a_pipe])
def test_archives_of_other_tools_are_read(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    with open_archive(path) as archive:
        assert sorted(archive.names()) == ["b", "icons/a.svg"]
        assert archive.read("icons/a.svg") == text(5000)
        assert archive.read("b") == noise(100)


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("é.svg".encode(), 0x800, "é.svg"),
        ("é.svg".encode(), 0, "é.svg"),
        ("é.svg".encode("cp437"), 0, "é.svg"),
    ],
    ids=["declared UTF-8", "UTF-8 as macOS writes it", "code page 437"],
)
def test_names_are_read_in_the_alphabet_they_were_written_in(path: Path, raw: bytes, flags: int, name: str) -> None:
    assert opened_names(path, forge(Forged(raw, flags=flags))) == (name,)


# --- reading ----------------------------------------------------------------------------------------------------------

FILES = {
    "framerr.db": text(3 * PIECE + 17),
    "icons/logo.svg": b"<svg/>" * 50,
    "icons/photo.png": noise(PIECE + 3),
    "empty": b"",
}


@pytest.mark.parametrize("engine", [ENGINE, STANDARD], ids=lambda engine: f"{engine.name}")
def test_what_was_packed_comes_out_with_its_proof(path: Path, engine: Engine) -> None:
    packed(path, FILES)
    with open_archive(path, engine=engine) as archive:
        assert archive.names() == tuple(FILES)
        assert archive.sizes == {name: len(data) for name, data in FILES.items()}
        for name, data in FILES.items():
            proof = Proof(len(data), hashlib.sha256(data).hexdigest())
            sink = io.BytesIO()
            heard: list[int] = []
            assert archive.copy(name, sink, heard.append) == proof
            assert sink.getvalue() == data
            assert sum(heard) == len(data)
            assert archive.digest(name) == proof


def test_reading_into_memory_is_bounded_and_names_are_exact(path: Path) -> None:
    packed(path, FILES)
    with open_archive(path) as archive:
        assert archive.read("icons/logo.svg", limit=300) == FILES["icons/logo.svg"]
        with pytest.raises(LimitExceeded, match=size_in_words(299)):
            archive.read("icons/logo.svg", limit=299)
        with pytest.raises(NotFound, match=r"icons/LOGO\.svg"):
            archive.read("icons/LOGO.svg")


LIES = {
    "more than declared": Forged(b"a", b"x" * 10, method=8, packed=deflated(b"x" * 11)),
    "much more than declared": Forged(b"a", b"x" * 10, method=8, packed=deflated(bytes(50 * PIECE))),
    "less than declared": Forged(b"a", b"x" * 10, method=8, packed=deflated(b"x" * 9)),
    "another checksum": Forged(b"a", b"x" * 10, method=8, crc=7),
    "another checksum, stored": Forged(b"a", b"x" * 10, crc=7),
    "a stream that does not end": Forged(b"a", b"x" * 10, method=8, packed=deflated(b"x" * 10)[:-1]),
    "something behind the stream": Forged(b"a", b"x" * 10, method=8, packed=deflated(b"x" * 10) + b"hidden"),
    "much behind the stream": Forged(b"a", b"x" * 10, method=8, packed=deflated(b"x" * 10) + noise(PIECE)),
    "no deflate at all": Forged(b"a", b"x" * 10, method=8, packed=b"\xff" * 20),
    "nothing where something is declared": Forged(b"a", b"x" * 10, method=8, packed=b""),
}


@pytest.mark.parametrize("engine", [ENGINE, STANDARD], ids=lambda engine: f"{engine.name}")
@pytest.mark.parametrize("member", LIES.values(), ids=LIES)
def test_a_member_that_is_not_what_it_declares_is_corrupt(path: Path, member: Forged, engine: Engine) -> None:
    """T07, T25: sizes are held to while reading, so a lie never fills a disk."""
    path.write_bytes(forge(member, HONEST))
    sink = io.BytesIO()
    with open_archive(path, engine=engine) as archive:
        with pytest.raises(Corrupt, match=r"“a” (is damaged|unpacks to more)"):
            archive.copy("a", sink)
        assert archive.read("manifest.json") == b"{}"
    assert len(sink.getvalue()) <= 10


def test_an_archive_that_is_cut_while_it_is_read_is_corrupt(path: Path) -> None:
    """T11: short by 10 bytes, or only 8 left."""
    packed(path, {"photo.png": noise(3 * PIECE)})
    whole = path.stat().st_size
    for left in (whole // 2, 8):
        with open_archive(path) as archive:
            os.truncate(path, left)
            with pytest.raises(Corrupt, match="cut off"):
                archive.digest("photo.png")
        packed(path, {"photo.png": noise(3 * PIECE)})


def test_stopping_in_the_middle_is_possible(path: Path) -> None:
    def cancel(_: int) -> None:
        raise Cancelled("Stopped.")

    packed(path, FILES)
    with open_archive(path) as archive, pytest.raises(Cancelled):
        archive.digest("framerr.db", cancel)


# --- unpacking into a folder ------------------------------------------------------------------------------------------


def test_unpacking_makes_private_files_in_private_folders(path: Path, tmp_path: Path) -> None:
    packed(path, FILES)
    target = tmp_path / "staging"
    target.mkdir()
    with open_archive(path) as archive:
        proofs = {name: archive.extract(name, target) for name in archive.names()}
    assert {name: proof.size for name, proof in proofs.items()} == {name: len(data) for name, data in FILES.items()}
    assert {name: (target / name).read_bytes() for name in FILES} == FILES
    assert {(target / name).stat().st_mode & 0o777 for name in FILES} == {0o600}
    assert (target / "icons").stat().st_mode & 0o777 == 0o700


def test_unpacking_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    packed(path, FILES)
    (tmp_path / "framerr.db").write_bytes(b"mine")
    with open_archive(path) as archive, pytest.raises(Conflict, match="not overwritten"):
        archive.extract("framerr.db", tmp_path)
    assert (tmp_path / "framerr.db").read_bytes() == b"mine"


@pytest.mark.parametrize("place", ["icons", "icons/logo.svg", "."])
def test_unpacking_follows_no_link(path: Path, tmp_path: Path, place: str) -> None:
    """T25: write-through, also when somebody plants the link in the folder itself."""
    packed(path, FILES)
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "target"
    if place == ".":
        target.symlink_to(outside)
    else:
        (target / place).parent.mkdir(parents=True)
        (target / place).symlink_to(outside / "logo.svg" if place.endswith("svg") else outside)
    with open_archive(path) as archive, pytest.raises(FramerrError):
        archive.extract("icons/logo.svg", target)
    assert list(outside.iterdir()) == []


def test_a_file_that_fails_while_it_is_unpacked_is_removed(path: Path, tmp_path: Path) -> None:
    def cancel(_: int) -> None:
        raise Cancelled("Stopped.")

    path.write_bytes(forge(Forged(b"bad", b"x" * 10, crc=1), HONEST))
    with open_archive(path) as archive:
        with pytest.raises(Corrupt):
            archive.extract("bad", tmp_path)
        with pytest.raises(Cancelled):
            archive.extract("manifest.json", tmp_path, cancel)
        with pytest.raises(NotFound):
            archive.extract("absent", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


# --- reading in place -------------------------------------------------------------------------------------------------


def test_a_stored_file_can_be_read_where_it_lies(path: Path) -> None:
    inner = noise(5000)
    packed(path, {"info.json": text(2000), "archive.zip.age": inner})
    with open_archive(path) as archive:
        span = archive.stored_span("archive.zip.age")
        assert path.read_bytes()[span.offset : span.offset + span.size] == inner
        with pytest.raises(InvalidInput, match="compressed inside"):
            archive.stored_span("info.json")
