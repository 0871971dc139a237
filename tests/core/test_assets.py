"""Uploaded files live under random names, and no name from outside becomes a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from framerr.core import assets
from framerr.core.errors import NotFound, Unavailable


def test_a_kept_file_is_found_private_and_discarded(tmp_path: Path) -> None:
    name = assets.keep(tmp_path, b"bytes", ".png")

    path = assets.path_of(tmp_path, name)
    assert path.read_bytes() == b"bytes"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [name]

    assets.discard(tmp_path, name)
    assets.discard(tmp_path, name)

    assert list(tmp_path.iterdir()) == []


def test_names_do_not_repeat(tmp_path: Path) -> None:
    assert len({assets.keep(tmp_path, b"", ".webp") for _ in range(20)}) == 20


@pytest.mark.parametrize("name", ["", ".", "..", "../outside.png", "outside.png", "\0", "0" * 32 + ".PNG", "0" * 32])
def test_other_names_are_no_paths(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"mine")

    with pytest.raises(NotFound):
        assets.path_of(folder, name)
    assets.discard(folder, name)

    assert outside.read_bytes() == b"mine"


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="could not be used"):
        assets.keep(tmp_path / "gone", b"", ".png")


def test_a_file_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    name = assets.keep(tmp_path, b"", ".png")
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()

    with pytest.raises(Unavailable, match=name):
        assets.path_of(tmp_path, name)
    assets.discard(tmp_path, name)
