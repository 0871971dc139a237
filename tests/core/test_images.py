"""Pictures are recognised by content, bounded, and written anew."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from framerr.core import images
from framerr.core.errors import InvalidInput, LimitExceeded, Unavailable
from framerr.core.images import reencode

LIMITS = {"max_bytes": 2_000_000, "max_side": 64}


def picture(kind: str, size: tuple[int, int] = (200, 100), mode: str = "RGB", **extra: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red").save(out, kind, **extra)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "ICO"])
def test_each_accepted_kind_comes_out_small(kind: str) -> None:
    made = reencode(picture(kind), **LIMITS)

    assert max(made.width, made.height) <= 64
    with Image.open(io.BytesIO(made.data)) as again:
        assert (again.format, again.size) == ("WEBP", (made.width, made.height))


def test_a_square_is_cut_from_the_middle() -> None:
    made = reencode(picture("PNG"), square=True, keep_png=True, **LIMITS)

    assert (made.width, made.height, made.suffix) == (64, 64, ".png")


def test_what_the_camera_added_is_gone_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "taken at home, 52.5 N 13.4 E"

    made = reencode(picture("JPEG", (40, 20), exif=exif.tobytes()), **LIMITS)

    assert b"taken at home" not in made.data
    assert (made.width, made.height) == (20, 40)
    with Image.open(io.BytesIO(made.data)) as again:
        assert dict(again.getexif()) == {}


def test_a_colour_profile_is_dropped_too() -> None:
    made = reencode(picture("PNG", icc_profile=b"a profile of this very screen"), keep_png=True, **LIMITS)

    assert b"iCCP" not in made.data


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", b"<html>", b"GIF89a", picture("PNG")[:60]],
    ids=["empty", "svg", "html", "cut gif", "cut png"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="not a picture"):
        reencode(data, **LIMITS)


def test_too_many_bytes_are_refused_with_both_sizes() -> None:
    with pytest.raises(LimitExceeded, match=r"1\.0.MB"):
        reencode(b"x" * 3_000_000, max_bytes=1_000_000, max_side=64)


def test_a_tiny_file_that_unpacks_to_gigapixels_is_refused(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IEND"
        + struct.pack(">I", zlib.crc32(b"IEND"))
    )

    with pytest.raises(LimitExceeded, match="million pixels"):
        reencode(bomb, **LIMITS)


def test_a_photo_larger_than_what_may_be_unpacked_is_decoded_small() -> None:
    """A phone's 24 million pixels fit, because a JPEG is decoded at a fraction of its sides."""
    made = reencode(picture("JPEG", (6000, 4000)), **LIMITS)

    assert (made.width, made.height) == (64, 43)


@pytest.mark.parametrize(
    ("kind", "size", "mode"),
    [("PNG", (4001, 4001), "RGB"), ("JPEG", (6400, 6300), "RGB"), ("JPEG", (5500, 5500), "CMYK")],
)
def test_more_pixels_than_the_memory_may_take_are_refused(kind: str, size: tuple[int, int], mode: str) -> None:
    """A picture of a few kilobytes cost half a gigabyte before it was made small."""
    with pytest.raises(LimitExceeded, match="million pixels"):
        reencode(picture(kind, size, mode), max_bytes=8_000_000, max_side=64)


def large_png(side: int) -> bytes:
    """A square of transparent pixels, whole, in a few hundred kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(1)
    row = bytes(1 + 4 * side)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def icon_around(png: bytes) -> bytes:
    """An ICO that says 256 x 256 in its list and holds `png`."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(png), 22) + png


WORST = {
    "a bomb in an icon": (lambda: icon_around(large_png(9450)), "LimitExceeded"),
    "the largest icon": (lambda: icon_around(large_png(4000)), "256"),
    "the largest PNG": (lambda: large_png(4000), "256"),
    "the largest GIF": (lambda: picture("GIF", (4000, 4000), "P", transparency=0), "256"),
    "the largest JPEG": (lambda: picture("JPEG", (6300, 6300), progressive=True, subsampling=0), "256"),
    "the largest JPEG of four channels": (lambda: picture("JPEG", (5400, 5400), "CMYK", progressive=True), "256"),
    "the largest WebP": (lambda: picture("WEBP", (4000, 4000), "RGBA"), "256"),
}
# A process of its own, because the peak of a process never falls again. VmHWM is in KiB and begins anew with a program.
CHILD = """
import pathlib, sys
from framerr.core.errors import FramerrError
from framerr.core.images import reencode

def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

data, before = pathlib.Path(sys.argv[1]).read_bytes(), peak()
try:
    word = reencode(data, max_bytes=8_000_000, max_side=256, square=True).width
except FramerrError as error:
    word = type(error).__name__
print(word, (peak() - before) // 1024)
"""


@pytest.mark.parametrize("worst", WORST)
def test_no_picture_takes_more_memory_than_a_small_container_has(worst: str, tmp_path: Path) -> None:
    """An icon of 0.4 MB took 350 MB, because it was unpacked before its size was known."""
    make, expected = WORST[worst]
    file = tmp_path / "picture"
    file.write_bytes(make())

    said = subprocess.run(
        [sys.executable, "-c", CHILD, str(file)], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()

    assert said[0] == expected
    assert int(said[1]) < 280


def test_who_cannot_be_served_soon_is_told_to_come_back() -> None:
    """Requests do not queue up behind a slow picture: the threads they hold are those of every page."""
    with images.TURN, ThreadPoolExecutor() as pool:
        refused = pool.submit(reencode, picture("PNG"), **LIMITS)
        error = refused.exception(timeout=10)

    assert isinstance(error, Unavailable)
    assert (error.message, error.retry_after) == (
        "Another picture is being read. Try again in a few seconds.",
        5,
    )
    assert reencode(picture("PNG"), **LIMITS).width == 64


@pytest.mark.parametrize("data", [icon_around(large_png(4001)), picture("PNG", (4001, 4001)), b"GIF89a"])
def test_a_refusal_keeps_nothing_of_the_picture_alive(data: bytes) -> None:
    """An error holds its traceback, and that the frames of what raised it."""
    with pytest.raises((LimitExceeded, InvalidInput)) as refused:
        reencode(data, max_bytes=8_000_000, max_side=64)

    assert refused.value.__context__ is None
