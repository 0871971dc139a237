"""Credentials are sealed, and a wrong key is a sentence."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from framerr.core.config import load
from framerr.core.crypto import (
    InstanceKey,
    cookie_key,
    from_plain,
    is_plain,
    resolve_key,
    sealed_with,
    to_plain,
)
from framerr.core.errors import Corrupt, Forbidden, InvalidInput
from framerr.core.paths import Paths

KEY = InstanceKey(bytes(range(32)))


def test_what_was_sealed_opens_with_the_same_key_and_context() -> None:
    sealed = KEY.seal("fr_s3cret ✓", "integrations.credential")

    assert "fr_s3cret" not in sealed
    assert KEY.open(sealed, "integrations.credential") == "fr_s3cret ✓"
    assert sealed_with(sealed) == KEY.fingerprint


def test_the_same_text_is_never_sealed_alike() -> None:
    assert KEY.seal("a", "t.c") != KEY.seal("a", "t.c")


def test_another_key_is_refused_with_both_fingerprints() -> None:
    other = InstanceKey(b"o" * 32)

    with pytest.raises(Forbidden) as refused:
        other.open(KEY.seal("a", "t.c"), "t.c")

    assert KEY.fingerprint in refused.value.message
    assert other.fingerprint in refused.value.message


def test_a_sealed_value_cannot_move_to_another_column() -> None:
    with pytest.raises(Corrupt):
        KEY.open(KEY.seal("a", "integrations.credential"), "channels.credential")


@pytest.mark.parametrize("spoiled", ["", "sealed:1:", "sealed:1:abc:", "plain:x", "sealed:2:abc:def"])
def test_what_is_not_sealed_is_called_damaged(spoiled: str) -> None:
    with pytest.raises(Corrupt):
        KEY.open(spoiled, "t.c")


def test_one_flipped_character_is_noticed() -> None:
    sealed = KEY.seal("a" * 40, "t.c")
    flipped = sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:]

    with pytest.raises(Corrupt):
        KEY.open(flipped, "t.c")


def test_a_key_is_read_as_hex_and_as_base64() -> None:
    raw = bytes(range(200, 232))

    texts = [raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")]

    assert {InstanceKey.parse(text).raw for text in texts} == {raw}


@pytest.mark.parametrize("text", ["", "abc", "z" * 64, "a" * 63, base64.b64encode(b"short").decode()])
def test_a_key_of_another_size_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        InstanceKey.parse(text)

    assert not text or text not in refused.value.message


def test_the_first_boot_makes_a_private_key_and_the_second_keeps_it(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()

    first = resolve_key(load({}), paths)
    second = resolve_key(load({}), paths)

    assert first == second
    assert paths.instance_key.stat().st_mode & 0o777 == 0o600


def test_environment_and_file_that_differ_are_refused_with_both_fingerprints(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()
    stored = resolve_key(load({}), paths)

    with pytest.raises(InvalidInput) as refused:
        resolve_key(load({"SECRET_ENCRYPTION_KEY": KEY.raw.hex()}), paths)

    assert KEY.fingerprint in refused.value.message
    assert stored.fingerprint in refused.value.message


def test_a_key_from_the_environment_is_not_written_down(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()

    assert resolve_key(load({"SECRET_ENCRYPTION_KEY": KEY.raw.hex()}), paths) == KEY
    assert not paths.instance_key.exists()


def test_a_key_file_with_other_content_is_named_and_kept(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()
    paths.instance_key.write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidInput, match=r"instance\.key does not hold"):
        resolve_key(load({}), paths)

    assert paths.instance_key.read_bytes() == b"\xff\xfe"


def test_the_cookie_key_stays_the_same(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.prepare()

    assert cookie_key(paths) == cookie_key(paths)
    assert len(cookie_key(paths)) == 32


def test_the_readable_form_is_marked() -> None:
    assert is_plain(to_plain("x"))
    assert from_plain(to_plain("plain:x")) == "plain:x"
    assert not is_plain(KEY.seal("x", "t.c"))
