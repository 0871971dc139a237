"""What travels over the control socket survives the way, and nothing else is believed."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from framerr.cli import exit_code
from framerr.console import wire
from framerr.core import errors
from framerr.core.errors import Corrupt, DiskFull, FramerrError, Unavailable

LINES: list[wire.Line] = [
    wire.Ask("backup.create", {"note": "with\nlines and ünïcode"}),
    wire.Progressed("Packing", 3, 10, "bytes"),
    wire.Noted("warn", "look here"),
    wire.Beat(),
    wire.Answered({"name": "a.zip", "list": [1, None]}),
    wire.Refused("not_found", "It is not there."),
]


def test_every_kind_of_line_arrives_as_it_was_sent() -> None:
    left, right = socket.socketpair()
    with left, right:
        for line in LINES:
            wire.send(left, line)
        left.shutdown(socket.SHUT_WR)
        assert list(wire.receive(right)) == LINES


@pytest.mark.parametrize("bytes_sent", [b"hello\n", b'{"type":"shout"}\n', b"x" * (wire.LINE_LIMIT + 70000)])
def test_what_is_no_line_of_ours_is_corrupt(bytes_sent: bytes) -> None:
    left, right = socket.socketpair()
    with left, right:
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        left.sendall(bytes_sent)
        left.shutdown(socket.SHUT_WR)
        with pytest.raises(Corrupt):
            list(wire.receive(right))


@pytest.mark.parametrize("kind", FramerrError.__subclasses__())
def test_an_error_keeps_its_category_and_its_words(kind: type[FramerrError]) -> None:
    told = wire.error_of(kind.code, "What to do.", Path("/config"))
    assert (type(told), told.message) == (kind, "What to do.")


def test_a_full_disk_and_what_a_run_may_say_have_a_category() -> None:
    assert isinstance(wire.error_of(DiskFull.code, "x", Path("/config")), DiskFull)
    assert isinstance(wire.error_of("interrupted", "x", Path("/config")), Unavailable)
    assert exit_code(wire.error_of("unexpected", "x", Path("/config"))) == exit_code(errors.FramerrError("x"))
