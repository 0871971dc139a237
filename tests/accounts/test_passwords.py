"""Passwords: rules, hashing, and answers that do not tell who exists."""

from __future__ import annotations

import time
from statistics import median

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from framerr.accounts import passwords
from framerr.accounts.passwords import check_password_rules, hash_password, needs_rehash, verify_password
from framerr.core.errors import InvalidInput


def test_the_right_password_matches_and_the_wrong_one_does_not() -> None:
    stored = hash_password("correct horse battery")

    assert verify_password(stored, "correct horse battery") is True
    assert verify_password(stored, "correct horse batterY") is False
    assert verify_password(stored, "") is False


def test_hashes_are_argon2id_with_bounded_memory_and_a_salt_each() -> None:
    first, second = hash_password("the same words"), hash_password("the same words")

    parameters = extract_parameters(first)
    assert first != second
    assert parameters.type is Type.ID
    assert parameters.memory_cost <= 64 * 1024
    assert "same" not in first


def test_a_name_nobody_has_costs_the_work_of_a_real_check() -> None:
    """The stand-in hash has today's parameters: time tells nothing (issue 2, Accounts)."""
    stored = hash_password("correct horse battery")

    def seconds(hash_of_user: str | None) -> float:
        begun = time.perf_counter()
        assert verify_password(hash_of_user, "wrong horse battery") is False
        return time.perf_counter() - begun

    known = median(seconds(stored) for _ in range(5))
    unknown = median(seconds(None) for _ in range(5))

    assert needs_rehash(passwords._NOBODY) is False
    assert 0.4 < unknown / known < 2.5


def test_a_damaged_hash_matches_nothing() -> None:
    assert verify_password("$argon2id$v=19$m=32768,t=3,p=1$broken", "correct horse battery") is False
    assert verify_password("", "correct horse battery") is False


def test_a_hash_with_older_parameters_is_to_be_renewed() -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("correct horse battery")

    assert verify_password(older, "correct horse battery") is True
    assert needs_rehash(older) is True
    assert needs_rehash(hash_password("correct horse battery")) is False


def test_the_same_characters_typed_on_another_system_are_the_same_password() -> None:
    composed, decomposed = "gr\u00fc\u00dfe aus k\u00f6ln", "gru\u0308\u00dfe aus ko\u0308ln"

    assert verify_password(hash_password(composed), decomposed) is True


@pytest.mark.parametrize("password", ["short", "123456789", "", "x" * 1001, "Administrator", "ADMINISTRATOR"])
def test_bad_new_passwords_are_refused_by_name_of_the_field(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password_rules(password, username="administrator")

    assert refused.value.field == "password"
    assert password not in refused.value.message or not password


@pytest.mark.parametrize("password", ["1234567890", "x" * 1000, "\U0001f40e" * 10, "a b c d e f"])
def test_good_new_passwords_pass(password: str) -> None:
    check_password_rules(password, username="administrator")


def test_any_text_may_be_tried() -> None:
    stored = hash_password("correct horse battery")

    for typed in ("\ud800", "\0", "x" * 1_000_000):
        assert verify_password(stored, typed) is False
