"""Uploads as people and attackers send them."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

HOSTILE = {
    "svg renamed .png": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><rect width='9' height='9'/></svg>",
    "html renamed .png": b"<!doctype html><script>alert(1)</script>",
    "png head, html body": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "nothing": b"",
    "a zip": b"PK\x03\x04" + b"\0" * 60,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), colour: str = "teal") -> bytes:
    """A plain picture as a file of that kind."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def photo(note: str) -> bytes:
    """A JPEG with EXIF: where it was taken, in words, and turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = note
    out = io.BytesIO()
    Image.new("RGB", (400, 300), "navy").save(out, "JPEG", exif=exif.tobytes(), comment=note.encode())
    return out.getvalue()


def bomb(side: int = 30_000) -> bytes:
    """A PNG of under a megabyte that says it has `side` times `side` pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    row = b"\0" + b"\xff" * (side // 8)
    body = chunk(b"IDAT", zlib.compress(row * 2000, 9))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def opened(data: bytes) -> Image.Image:
    """What a viewer sees in a file."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
