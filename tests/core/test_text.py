"""Short texts are one visible line."""

from __future__ import annotations

import pytest

from framerr.core.errors import InvalidInput
from framerr.core.text import one_line


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
