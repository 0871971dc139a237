"""Browsers in words."""

from __future__ import annotations

import pytest

from framerr.web.devices import device


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/19 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) CriOS/140 Mobile Safari/604", "Chrome on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("curl/8.5", "curl"),
        ("", "An unknown browser"),
    ],
)
def test_a_browser_is_told_by_what_it_says_of_itself(user_agent: str, words: str) -> None:
    """A descendant is not mistaken for its ancestor."""
    assert device(user_agent) == words
