"""Pictures that people upload: recognised by content, bounded, re-encoded, without what the camera added."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from framerr.core.errors import InvalidInput, LimitExceeded
from framerr.core.files import size_in_words

ACCEPTED = ("PNG", "JPEG", "WEBP", "GIF", "ICO")
# What may be unpacked into memory: a small container must survive it. A JPEG can be decoded at an eighth of its sides,
# so a photo from any phone fits; its progressive form still needs a few bytes for each of its own pixels.
MAX_PIXELS = 16_000_000
MAX_JPEG_PIXELS = 64_000_000
_ONE_AT_A_TIME = threading.Lock()


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
    accepted kind. The file name and the declared type are never believed.
    """
    if len(data) > max_bytes:
        raise LimitExceeded(
            f"The picture has {size_in_words(len(data))}; at most {size_in_words(max_bytes)} are "
            "accepted. Choose a smaller one."
        )
    with _ONE_AT_A_TIME:
        image = _decoded(data, max_side)
        image = ImageOps.fit(image, (min(image.size),) * 2) if square else image
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if keep_png:
        image.save(out, "PNG", optimize=True)
    else:
        image.save(out, "WEBP", quality=88, method=4)
    return Picture(out.getvalue(), ".png" if keep_png else ".webp", *image.size)


def _decoded(data: bytes, max_side: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limits are lower
            with Image.open(io.BytesIO(data), formats=ACCEPTED) as opened:
                _require_few_pixels(opened, MAX_JPEG_PIXELS if opened.format == "JPEG" else MAX_PIXELS)
                opened.draft("RGB", (2 * max_side, 2 * max_side))
                _require_few_pixels(opened, MAX_PIXELS)
                turned = ImageOps.exif_transpose(opened)
                return turned.convert("RGBA" if _has_alpha(turned) else "RGB")
    except Image.DecompressionBombError:
        raise LimitExceeded(_too_many(MAX_PIXELS)) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise InvalidInput(
            "This file is not a picture that can be read. Use a PNG, JPEG, WebP, GIF or ICO file.", field="picture"
        ) from None


def _require_few_pixels(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise LimitExceeded(_too_many(most))


def _too_many(most: int) -> str:
    return f"The picture has more than {most // 1_000_000} million pixels. Choose a smaller one."


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
