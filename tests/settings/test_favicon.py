"""The favicon: one square PNG, replaced atomically (R-002-16)."""

from __future__ import annotations

import os

import pytest

from framerr.core.errors import InvalidInput, LimitExceeded, Unavailable
from framerr.core.paths import Paths
from framerr.settings import favicon
from tests.pictures import HOSTILE, bomb, opened, picture


def test_there_is_none_until_one_is_uploaded_and_after_it_is_removed(paths: Paths) -> None:
    assert favicon.path(paths) is None

    favicon.save(paths, picture("JPEG", (900, 400)))

    file = favicon.path(paths)
    assert file is not None
    image = opened(file.read_bytes())
    assert (image.format, image.size) == ("PNG", (192, 192))
    assert file.stat().st_mode & 0o777 == 0o600

    favicon.remove(paths)
    favicon.remove(paths)

    assert favicon.path(paths) is None
    assert os.listdir(paths.favicon) == []


def test_a_new_one_replaces_the_old(paths: Paths) -> None:
    favicon.save(paths, picture("ICO", (32, 32)))
    before = favicon.save(paths, picture("ICO", (32, 32))).read_bytes()

    after = favicon.save(paths, picture(colour="pink")).read_bytes()

    assert after != before
    assert os.listdir(paths.favicon) == ["favicon.png"]


@pytest.mark.parametrize("data", [*HOSTILE.values(), bomb()], ids=[*HOSTILE.keys(), "a bomb"])
def test_what_is_no_picture_or_too_large_leaves_the_old_one(paths: Paths, data: bytes) -> None:
    before = favicon.save(paths, picture()).read_bytes()

    with pytest.raises((InvalidInput, LimitExceeded)):
        favicon.save(paths, data)

    file = favicon.path(paths)
    assert file is not None
    assert file.read_bytes() == before


def test_one_that_cannot_be_read_is_a_sentence(paths: Paths) -> None:
    (paths.favicon / "favicon.png").mkdir()

    with pytest.raises(Unavailable, match=r"favicon\.png"):
        favicon.path(paths)
