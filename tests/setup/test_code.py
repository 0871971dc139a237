"""The setup code: the same after a restart, private, five tries a minute, gone after setup (issue 2, Setup wizard)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from framerr.core import config
from framerr.core.errors import Forbidden, LimitExceeded, Unavailable
from framerr.core.paths import Paths
from framerr.setup import code
from framerr.setup.code import ALPHABET, Gate, SetupCode

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CODE = SetupCode("ABCD-2345")
HOME = "192.0.2.10"


def made(paths: Paths) -> SetupCode:
    found = code.load_or_make(paths, None)
    assert found is not None
    return found


def test_a_code_is_made_once_and_the_same_after_a_restart(paths: Paths) -> None:
    first = made(paths)

    assert made(paths) == first
    assert config.SETUP_CODE.fullmatch(first.text)
    assert paths.setup_code.read_text() == first.text + "\n"
    assert paths.setup_code.stat().st_mode & 0o777 == 0o600


def test_codes_differ_between_folders(paths: Paths) -> None:
    texts = set()
    for _ in range(20):
        texts.add(made(paths).text)
        code.remove(paths)

    assert len(texts) == 20
    assert config.SETUP_CODE.fullmatch(f"{ALPHABET[:4]}-{ALPHABET[4:8]}")
    assert len(set(ALPHABET)) == 32


@pytest.mark.parametrize("content", [b"", b"0000-0000", b"\xff\xfe", b"ABCD2345", b"A" * 10_000_000])
def test_a_file_that_holds_no_code_is_replaced(paths: Paths, content: bytes) -> None:
    paths.setup_code.write_bytes(content)

    assert config.SETUP_CODE.fullmatch(made(paths).text)
    assert paths.setup_code.stat().st_size == 10


def test_a_configured_code_holds_and_is_not_written_down(paths: Paths) -> None:
    made(paths)

    assert code.load_or_make(paths, "WXYZ-6789") == SetupCode("WXYZ-6789")
    assert not paths.setup_code.exists()


def test_off_means_no_code(paths: Paths) -> None:
    made(paths)

    assert code.load_or_make(paths, "off") is None
    assert not paths.setup_code.exists()


def test_a_file_that_cannot_be_read_is_a_sentence(paths: Paths) -> None:
    paths.setup_code.mkdir()

    with pytest.raises(Unavailable, match=r"setup-code\.txt"):
        code.load_or_make(paths, None)


@pytest.mark.parametrize("typed", ["ABCD-2345", "abcd-2345", "ABCD2345", " abcd 2345 ", "ab cd–23 45", "ABCD_2345\n"])
def test_case_dashes_and_spaces_do_not_matter(typed: str) -> None:
    Gate(CODE).check(typed, NOW, HOME)


@pytest.mark.parametrize(
    "typed", ["", "ABCD-2346", "ABCD-234", "ABCD-23455", "\ud800", "x" * 10**6, "ＡＢＣＤ-２３４５"]
)
def test_everything_else_is_not_the_code(typed: str) -> None:
    with pytest.raises(Forbidden, match="not the setup code"):
        Gate(CODE).check(typed, NOW, HOME)


def test_five_tries_a_minute_the_right_one_included() -> None:
    gate = Gate(CODE)
    for second in range(5):
        with pytest.raises(Forbidden):
            gate.check("WRNG-2222", NOW + timedelta(seconds=second), HOME)

    with pytest.raises(LimitExceeded) as refused:
        gate.check("ABCD-2345", NOW + timedelta(seconds=10), HOME)

    assert refused.value.retry_after == 50
    with pytest.raises(LimitExceeded):
        gate.check("ABCD-2345", NOW + timedelta(seconds=59.9), HOME)
    gate.check("ABCD-2345", NOW + timedelta(seconds=60), HOME)


def test_the_window_slides() -> None:
    gate = Gate(CODE)
    for second in (0, 50, 51, 52, 53, 61):
        gate.check("ABCD-2345", NOW + timedelta(seconds=second), HOME)

    with pytest.raises(LimitExceeded) as refused:
        gate.check("ABCD-2345", NOW + timedelta(seconds=62), HOME)

    assert refused.value.retry_after == 48


def test_a_clock_that_went_back_does_not_close_the_gate() -> None:
    gate = Gate(CODE)
    for _ in range(5):
        gate.check("ABCD-2345", NOW + timedelta(days=400), HOME)

    gate.check("ABCD-2345", NOW, HOME)


def test_tries_that_race_are_counted() -> None:
    gate = Gate(CODE)
    barrier = threading.Barrier(20)
    answers: list[str] = []

    def guess() -> None:
        barrier.wait()
        try:
            gate.check("WRNG-2222", NOW, HOME)
        except (Forbidden, LimitExceeded) as error:
            answers.append(error.code)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["forbidden"] * 5 + ["limit_exceeded"] * 15


def test_a_stranger_does_not_lock_the_owner_out() -> None:
    """Five wrong codes a minute from anywhere were enough."""
    gate = Gate(CODE)
    for _ in range(5):
        with pytest.raises(Forbidden):
            gate.check("WRNG-2222", NOW, "203.0.113.7")
    with pytest.raises(LimitExceeded):
        gate.check("ABCD-2345", NOW, "203.0.113.7")

    gate.check("ABCD-2345", NOW, HOME)


def test_addresses_of_one_network_are_one_stranger() -> None:
    gate = Gate(CODE)
    for last in range(5):
        with pytest.raises(Forbidden):
            gate.check("WRNG-2222", NOW, f"2001:db8::{last}")

    with pytest.raises(LimitExceeded):
        gate.check("WRNG-2222", NOW, "2001:db8::ffff")


def test_many_networks_together_have_a_limit_too() -> None:
    gate = Gate(CODE)
    for number in range(code.TRIES_OF_ALL):
        with pytest.raises(Forbidden):
            gate.check("WRNG-2222", NOW, f"203.0.{number}.1")

    with pytest.raises(LimitExceeded, match="from many places") as refused:
        gate.check("ABCD-2345", NOW + timedelta(seconds=20), HOME)

    assert refused.value.retry_after == 40
    gate.check("ABCD-2345", NOW + timedelta(seconds=60), HOME)


def test_removing_twice_is_fine(paths: Paths) -> None:
    made(paths)

    code.remove(paths)
    code.remove(paths)

    assert not paths.setup_code.exists()
