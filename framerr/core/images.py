"""Pictures that people upload: recognised by content, bounded, re-encoded, without what the camera added."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from framerr.core.errors import InvalidInput, LimitExceeded
from framerr.core.files import size_in_words

ACCEPTED = ("PNG", "JPEG", "WEBP", "GIF", "ICO")
MAX_PIXELS = 40_000_000


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
    image = _decoded(data)
    image = ImageOps.fit(image, (min(image.size),) * 2) if square else image
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if keep_png:
        image.save(out, "PNG", optimize=True)
    else:
        image.save(out, "WEBP", quality=88, method=4)
    return Picture(out.getvalue(), ".png" if keep_png else ".webp", *image.size)


def _decoded(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=ACCEPTED) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise LimitExceeded(_TOO_MANY_PIXELS)
                turned = ImageOps.exif_transpose(opened)
                return turned.convert("RGBA" if _has_alpha(turned) else "RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise LimitExceeded(_TOO_MANY_PIXELS) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise InvalidInput(
            "This file is not a picture that can be read. Use a PNG, JPEG, WebP, GIF or ICO file.", field="picture"
        ) from None


_TOO_MANY_PIXELS = f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels. Choose a smaller one."


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
