"""A large file arrives in pieces, survives what happens in between, and is never more than was announced."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from framerr.core import uploads
from framerr.core.errors import Conflict, DiskFull, InvalidInput, LimitExceeded, NotFound
from framerr.core.files import free_bytes
from framerr.core.paths import Paths

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = Paths(tmp_path)
    made.prepare()
    return made


def announce(paths: Paths, length: int = 10, name: str = "backup.zip") -> uploads.Upload:
    return uploads.create(paths, length=length, name=name, owner="olga", limit=10**9, now=NOW)


def send(paths: Paths, upload: uploads.Upload, offset: int, data: bytes) -> uploads.Upload:
    return uploads.append(paths, upload, offset, io.BytesIO(data), size=len(data))


def test_pieces_make_the_file(paths: Paths) -> None:
    upload = announce(paths)

    half = send(paths, upload, 0, b"01234")
    whole = send(paths, half, 5, b"56789")

    assert (half.offset, half.is_whole, whole.is_whole) == (5, False, True)
    assert uploads.path_of(paths, whole).read_bytes() == b"0123456789"
    assert uploads.path_of(paths, whole).stat().st_mode & 0o777 == 0o600


def test_after_a_restart_it_goes_on_where_the_file_ends(paths: Paths) -> None:
    upload = send(paths, announce(paths), 0, b"0123")

    known = uploads.load(Paths(paths.root), upload.uid, owner="olga", now=NOW + timedelta(hours=23))

    assert known == upload


def test_a_piece_for_another_place_changes_nothing(paths: Paths) -> None:
    upload = send(paths, announce(paths), 0, b"0123")

    for offset in (0, 3, 5, 10):
        with pytest.raises(Conflict, match="continues at byte 4"):
            send(paths, upload, offset, b"x")

    assert uploads.load(paths, upload.uid, owner="olga", now=NOW).offset == 4


def test_a_piece_that_breaks_off_keeps_what_arrived(paths: Paths) -> None:
    upload = announce(paths)

    with pytest.raises(InvalidInput, match="broke off"):
        uploads.append(paths, upload, 0, io.BytesIO(b"012"), size=8)

    kept = uploads.load(paths, upload.uid, owner="olga", now=NOW)
    assert kept.offset == 3
    assert send(paths, kept, 3, b"3456789").is_whole


def test_more_than_was_announced_is_refused_before_it_is_written(paths: Paths) -> None:
    upload = announce(paths, length=4)

    with pytest.raises(InvalidInput, match="longer"):
        send(paths, upload, 0, b"01234")

    assert uploads.load(paths, upload.uid, owner="olga", now=NOW).offset == 0


def test_a_file_that_is_not_whole_is_not_handed_out(paths: Paths) -> None:
    with pytest.raises(Conflict, match="not complete"):
        uploads.path_of(paths, announce(paths))


@pytest.mark.parametrize("length", [0, -1])
def test_an_empty_file_is_refused(paths: Paths, length: int) -> None:
    with pytest.raises(InvalidInput):
        announce(paths, length=length)

    assert list(paths.uploads.iterdir()) == []


def test_a_file_above_the_limit_is_refused_with_both_numbers(paths: Paths) -> None:
    with pytest.raises(LimitExceeded) as refused:
        uploads.create(paths, length=3 * 10**9, name="x", owner="olga", limit=2 * 10**9, now=NOW)

    assert "3.0\u00a0GB" in refused.value.message
    assert "2.0\u00a0GB" in refused.value.message


def test_a_file_that_cannot_fit_is_refused_before_it_is_sent(paths: Paths) -> None:
    free = free_bytes(paths.uploads)
    assert free is not None

    with pytest.raises(DiskFull):
        uploads.create(paths, length=free, name="x", owner="olga", limit=10**15, now=NOW)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("backup.zip", "backup.zip"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\olga\\a.zip", "a.zip"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("", "backup.zip"),
    ],
)
def test_a_name_is_never_a_path(paths: Paths, name: str, kept: str) -> None:
    assert announce(paths, name=name).name == kept


@pytest.mark.parametrize("uid", ["", "../x", "a" * 15, "a" * 17, "/etc/passwd", "A" * 16])
def test_an_unknown_name_finds_nothing(paths: Paths, uid: str) -> None:
    with pytest.raises(NotFound):
        uploads.load(paths, uid, owner="olga", now=NOW)

    uploads.remove(paths, uid)


def test_an_upload_belongs_to_who_began_it_and_ends_after_a_day(paths: Paths) -> None:
    upload = announce(paths)

    for owner, now in (("boris", NOW), ("olga", NOW + uploads.KEPT_FOR)):
        with pytest.raises(NotFound):
            uploads.load(paths, upload.uid, owner=owner, now=now)

    assert uploads.listing(paths, owner="olga", now=NOW) == [upload]
    assert uploads.listing(paths, owner="boris", now=NOW) == []


def test_what_expired_is_swept_and_what_is_young_stays(paths: Paths) -> None:
    old, young = (
        announce(paths),
        uploads.create(paths, length=5, name="y", owner="olga", limit=100, now=NOW + timedelta(hours=20)),
    )
    stray = paths.uploads / "stray.tmp"
    stray.write_text("x")
    long_ago = (NOW - timedelta(days=2)).timestamp()
    os.utime(stray, (long_ago, long_ago))

    uploads.sweep(paths, NOW + timedelta(hours=25))

    assert {file.stem for file in paths.uploads.iterdir()} == {young.uid}
    assert old.uid != young.uid


def test_a_removed_upload_leaves_nothing(paths: Paths) -> None:
    upload = send(paths, announce(paths), 0, b"0")

    uploads.remove(paths, upload.uid)

    assert list(paths.uploads.iterdir()) == []
