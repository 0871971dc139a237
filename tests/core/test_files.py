"""A file is old or new, never in between; disk trouble is a sentence."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from framerr.core.errors import DiskFull, Unavailable
from framerr.core.files import (
    atomic_write,
    disk_errors,
    empty_folder,
    free_bytes,
    fsync_tree,
    remove_tree,
    sha256_file,
    size_in_words,
)


def test_an_atomic_write_replaces_the_file_and_is_private(tmp_path: Path) -> None:
    target = tmp_path / "settings"
    target.write_text("old")

    atomic_write(target, b"new")

    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_atomic_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()

    with pytest.raises(OSError, match="directory"):
        atomic_write(target, b"new")

    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_with_the_path(tmp_path: Path, code: int) -> None:
    """T04: the typed error names the path."""
    with pytest.raises(DiskFull) as full, disk_errors(tmp_path / "x.zip"):
        raise OSError(code, os.strerror(code))

    assert str(tmp_path / "x.zip") in full.value.message
    assert full.value.free == free_bytes(tmp_path)


@pytest.mark.parametrize(
    ("code", "word"),
    [(errno.EACCES, "chown"), (errno.EROFS, "read-only"), (errno.EIO, "could not be used"), (errno.ESTALE, "mount")],
)
def test_other_disk_trouble_is_said_with_what_to_do(tmp_path: Path, code: int, word: str) -> None:
    """T38, T39: path, user id and fix for a refused folder; a vanished mount is a typed error."""
    with pytest.raises(Unavailable) as trouble, disk_errors(tmp_path):
        raise OSError(code, os.strerror(code), str(tmp_path))

    assert word in trouble.value.message
    assert str(tmp_path) in trouble.value.message


def test_a_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"abc" * 700_000)
    heard: list[int] = []

    digest, size = sha256_file(file, heard.append)

    assert (digest, size) == (hashlib.sha256(b"abc" * 700_000).hexdigest(), 2_100_000)
    assert sum(heard) == size


def test_free_space_is_known_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    found = free_bytes(tmp_path / "a" / "b" / "c.zip")

    assert found is not None
    assert found > 0


def test_trees_are_emptied_and_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "f").write_text("x")
    (tree / "link").symlink_to(tmp_path)

    fsync_tree(tree / "a")
    empty_folder(tree)
    assert list(tree.iterdir()) == []

    remove_tree(tree)
    remove_tree(tree)
    assert not tree.exists()
    assert tmp_path.exists()


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (48_600_000, "48.6 MB"),
        (999_960, "1.0 MB"),
        (2 * 10**12, "2.0 TB"),
    ],
)
def test_sizes_are_told_as_people_say_them(count: int, words: str) -> None:
    assert size_in_words(count) == words.replace(" ", "\u00a0")
