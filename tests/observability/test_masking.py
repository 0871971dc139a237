"""Secrets are taken out of every text, wherever they stand in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framerr.core.crypto import InstanceKey
from framerr.observability import masking
from framerr.observability.masking import mask, mask_value, register, register_key

SECRET = "hunter2-Tr0ub4dor"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    masking._known = ()


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"password = '{SECRET}'",
        f'{{"password": "{SECRET}"}}',
        f"new_password: {SECRET}, next",
        f"GET /hook?token={SECRET}&page=2",
        f"POST https://user:{SECRET}@example.com/path",
        f"Authorization: Bearer {SECRET}",
        f"authorization: Basic {base64.b64encode(SECRET.encode()).decode()}".replace("=", ""),
        f"header Bearer {SECRET} sent",
        f"Cookie: framerr={SECRET}; other={SECRET}",
        f"Set-Cookie: framerr={SECRET}; HttpOnly",
        f"api_key={SECRET} apiKey: {SECRET} API-KEY={SECRET}",
        f"SECRET_ENCRYPTION_KEY={SECRET}",
        f"client_secret={SECRET}; access_token={SECRET}",
        f"credential={SECRET}",
        f"{{'passphrase': '{SECRET} and more {SECRET}'}}",
        f"sealed:1:0123456789ab:{base64.b64encode(SECRET.encode()).decode()}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}",
    ],
)
def test_planted_secrets_are_not_found(text: str) -> None:
    masked = mask(text)

    assert SECRET not in masked
    assert base64.b64encode(SECRET.encode()).decode().rstrip("=") not in masked
    assert "***" in masked


def test_a_password_hash_is_masked() -> None:
    stored = "$argon2id$v=19$m=32768,t=3,p=1$e95Gl14bW4FR1pAgbEJIpw$3YojTMzHr7A97nBsoJ"

    assert mask(f"row ('alice', '{stored}')") == "row ('alice', '$argon2***"


def test_what_surrounds_a_secret_stays_readable() -> None:
    assert mask(f"GET /x?token={SECRET}&page=2") == "GET /x?token=***&page=2"
    assert mask(f"https://al:{SECRET}@example.com/a") == "https://al:***@example.com/a"
    assert mask("sealed:1:0123456789ab:QUJD=") == "sealed:***"


@pytest.mark.parametrize(
    "text",
    [
        "The setup code is ABCD-2345.",
        "backup made: 3 files, 12 passed",
        "listening on http://0.0.0.0:3001/path",
        "2026-03-10T12:00:00Z info",
        "The password has 4 characters",
        "a key fingerprint 0123456789ab",
        "unsealed: yes",
    ],
)
def test_ordinary_lines_and_the_setup_code_stay(text: str) -> None:
    assert mask(text) == text


def test_the_instance_key_is_masked_in_every_form() -> None:
    key = InstanceKey.new()
    register_key(key.raw)
    plain, url = base64.b64encode(key.raw).decode(), base64.urlsafe_b64encode(key.raw).decode()

    masked = mask(f"{key.raw.hex()} {key.raw.hex().upper()} {plain} {url} {url.rstrip('=')} {key.fingerprint}")

    assert masked == f"*** *** *** *** *** {key.fingerprint}"


def test_a_registered_text_is_masked_also_in_an_address() -> None:
    register("p@ss word/9")

    assert mask("got 'p@ss word/9' and p%40ss%20word%2F9") == "got '***' and ***"


def test_a_text_too_short_to_be_a_secret_masks_nothing() -> None:
    register("admin")
    register("")

    assert mask("administrator") == "administrator"


def test_fields_named_like_secrets_are_masked_at_every_depth() -> None:
    fields = {
        "user": "alice",
        "password": SECRET,
        "new_password": SECRET,
        "config": {"Authorization": SECRET, "headers": [{"X-Api-Key": SECRET}], "url": f"https://a:{SECRET}@b"},
        "tokens": [SECRET],
        "credential": {"key": SECRET},
        "count": 3,
        "ratio": 0.5,
        "ok": True,
        "nothing": None,
        "password_set": True,
        "token": None,
    }

    masked = mask_value(fields)

    assert SECRET not in repr(masked)
    assert (masked["user"], masked["count"], masked["ratio"], masked["ok"]) == ("alice", 3, 0.5, True)
    assert (masked["nothing"], masked["token"], masked["password_set"]) == (None, None, True)


@given(st.text(max_size=300))
def test_masking_again_changes_nothing_more_and_can_be_written(text: str) -> None:
    masked = mask(text)

    masked.encode()
    assert mask(masked) == masked


def test_long_texts_are_masked_in_no_time() -> None:
    for text in ("a." * 200_000, "password" * 100_000, "://" * 200_000, "sealed:1:" * 100_000, "Bearer " * 100_000):
        assert mask(text)


def test_half_a_surrogate_pair_does_not_break_a_line() -> None:
    assert mask("name \ud800") == "name \\ud800"
