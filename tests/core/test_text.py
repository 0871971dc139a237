"""Short texts are one visible line; file names of any kind become one and back."""

from __future__ import annotations

import os

import pytest

from framerr.core.errors import InvalidInput
from framerr.core.text import escaped, legible, one_line, unescaped


def line(value: object) -> str:
    return one_line(value, label="The name", field="name", longest=10)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a   b ", "a b"),
        ("a\u00a0\u3000b", "a b"),
        ("ab\n", "ab"),
        ("Mu\u0308ller", "M\u00fcller"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
        ("x" * 10, "x" * 10),
    ],
)
def test_what_is_visible_is_kept_and_tidied(value: str, expected: str) -> None:
    assert line(value) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "must be text"),
        (7, "must be text"),
        (b"name", "must be text"),
        ("", "is missing"),
        (" \n ", "is missing"),
        ("x" * 11, "has 11 characters; at most 10"),
        ("a\nb", "cannot be seen"),
        ("a\tb", "cannot be seen"),
        ("a\0", "cannot be seen"),
        ("\u202eexe", "cannot be seen"),
        ("\u200b", "cannot be seen"),
        ("a\u2028b", "cannot be seen"),
        ("\ud800", "cannot be seen"),
    ],
)
def test_the_rest_is_refused_in_words(value: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        line(value)

    assert refused.value.field == "name"
    assert refused.value.message.startswith("The name ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("Studio server 👩\u200d💻", "Studio server 👩\u200d💻"),
        ("Ümläut مرحبا", "Ümläut مرحبا"),
        (" a\n\tb\u2028c ", "a b c"),
        ("\u202egnp.exe\u2066\ufeff", "gnp.exe"),
        ("a\x00\x1b[2Jb\ud800", "a[2Jb"),
        ("A" * 20, "A" * 20),
        ("A" * 21, "A" * 19 + "…"),
        ("\u202e" * 1000 + "A", "…"),
        ("A" * 20_000_000, "A" * 19 + "…"),
    ],
)
def test_a_text_from_elsewhere_is_one_line_of_what_can_be_seen(value: str, expected: str) -> None:
    assert legible(value, 20) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"framerr-manual-2026-03-01T12-00-00Z.zip", "framerr-manual-2026-03-01T12-00-00Z.zip"),
        ("Sicherung für Ärzte.zip".encode(), "Sicherung für Ärzte.zip"),
        (b"caf\xe9.zip", r"caf\xe9.zip"),
        (b"two\nlines\x1b[2J.zip", r"two\u000alines\u001b[2J.zip"),
        (b"back\\slash\\xe9.zip", r"back\\slash\\xe9.zip"),
        ("a\u202egnp.zip".encode(), r"a\u202egnp.zip"),
        ("\U000e0001.zip".encode(), r"\U000e0001.zip"),
    ],
)
def test_any_file_name_is_text_of_one_line_and_back(name: bytes, expected: str) -> None:
    text = escaped(os.fsdecode(name))

    assert text == expected
    assert text.encode()
    assert os.fsencode(unescaped(text)) == name
