"""Pictures are recognised by content, bounded, and written anew."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from framerr.core.errors import InvalidInput, LimitExceeded
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


@pytest.mark.parametrize(("kind", "size"), [("PNG", (4001, 4001)), ("JPEG", (8100, 8000))])
def test_more_pixels_than_the_memory_may_take_are_refused(kind: str, size: tuple[int, int]) -> None:
    """A picture of a few kilobytes cost half a gigabyte before it was made small."""
    with pytest.raises(LimitExceeded, match="million pixels"):
        reencode(picture(kind, size), max_bytes=8_000_000, max_side=64)
