"""Pictures that people upload: recognised by content, bounded, re-encoded, without what the camera added."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from framerr.core.errors import InvalidInput, LimitExceeded, Unavailable
from framerr.core.files import size_in_words

# What may be unpacked into memory: a small container must survive it, whatever the file says of itself.
MAX_PIXELS = 16_000_000
# A JPEG is decoded at a fraction of its sides, so a photo from a phone fits; but one that is not written line by line
# needs two bytes for each sample (pixel times channel) of its own before that.
MAX_JPEG_SAMPLES = 120_000_000
# Pillow's own limit, at twice which it refuses: it holds where a picture is decoded while it is being opened (ICO).
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
_JPEG = b"\xff\xd8\xff"
WAIT_SECONDS = 2.0
TURN = threading.Lock()
"""Held while a picture is unpacked: one at a time."""


@dataclass(frozen=True)
class Picture:
    """A re-encoded picture: bytes, their suffix with the dot, width and height in pixels."""

    data: bytes
    suffix: str
    width: int
    height: int


def reencode(data: bytes, *, max_bytes: int, max_side: int, square: bool = False, keep_png: bool = False) -> Picture:
    """Decode `data` and write it anew as WebP (or PNG with `keep_png`), at most `max_side` pixels a side.

    Only the first frame is kept; EXIF, profiles and comments are dropped after the orientation was applied. `square`
    crops to the middle. Raises LimitExceeded for too many bytes or pixels, InvalidInput when it is not a picture of an
    accepted kind, Unavailable while others are being read. The file name and the declared type are never believed.
    """
    if len(data) > max_bytes:
        raise LimitExceeded(
            f"The picture has {size_in_words(len(data))}; at most {size_in_words(max_bytes)} are "
            "accepted. Choose a smaller one."
        )
    if not TURN.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("Another picture is being read. Try again in a few seconds.", retry_after=5)
    try:
        image = _decoded_small(data, max_side, square=square)
    finally:
        TURN.release()
    out = io.BytesIO()
    if keep_png:
        image.save(out, "PNG", optimize=True)
    else:
        image.save(out, "WEBP", quality=88, method=4)
    return Picture(out.getvalue(), ".png" if keep_png else ".webp", *image.size)


def _decoded_small(data: bytes, max_side: int, *, square: bool) -> Image.Image:
    """The refusals are raised where nothing of Pillow is left: an error in flight keeps alive what its frames hold."""
    refusal: LimitExceeded | InvalidInput
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about large and odd pictures: what is too large is refused
            return _shrunk(_decoded(data, max_side), max_side, square=square)
    except LimitExceeded as error:
        refusal = LimitExceeded(error.message)
    except Image.DecompressionBombError:
        refusal = LimitExceeded(_too_many(MAX_PIXELS))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        refusal = InvalidInput(
            "This file is not a picture that can be read. Use a PNG, JPEG, WebP, GIF or ICO file.", field="picture"
        )
    raise refusal


def _decoded(data: bytes, max_side: int) -> Image.Image:
    """The first frame in RGB or RGBA, still lying as the camera held it. Raises what Pillow raises, LimitExceeded."""
    source = io.BytesIO(data)
    if not data.startswith(_JPEG):
        with Image.open(source, formats=("PNG", "WEBP", "GIF", "ICO")) as opened:
            return _plain(opened)
    with JpegImageFile(source) as photo:  # not by `open`, whose limit is for pictures that are decoded whole
        bands = len(photo.getbands())
        _require_few_pixels(photo, MAX_JPEG_SAMPLES // max(3, bands))
        photo.draft("RGB", (2 * max_side, 2 * max_side))
        _require_few_pixels(photo, MAX_PIXELS)
        return _plain(photo)


def _plain(opened: Image.Image) -> Image.Image:
    opened.load()
    mode = "RGBA" if _has_alpha(opened) else "RGB"
    return opened if opened.mode == mode else opened.convert(mode)


def _shrunk(image: Image.Image, max_side: int, *, square: bool) -> Image.Image:
    """Small first and turned afterwards, which never needs the whole picture twice; without what the camera added."""
    width, height = image.size
    if square:
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        wanted = (min(side, max_side),) * 2
        small = image.resize(wanted, Image.Resampling.LANCZOS, (left, top, left + side, top + side), reducing_gap=3)
    else:
        scale = min(1.0, max_side / max(width, height))
        wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = image.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=3)
    ImageOps.exif_transpose(small, in_place=True)
    small.info.clear()
    return small


def _require_few_pixels(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise LimitExceeded(_too_many(most))


def _too_many(most: int) -> str:
    return f"The picture has more than {most // 1_000_000} million pixels. Choose a smaller one."


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
