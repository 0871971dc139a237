"""What travels over the control socket: one JSON object per line, the question first, then news, then the end of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from framerr.core.errors import Corrupt, DiskFull, FramerrError

LINE_LIMIT = 1 << 20
VERSION = 1


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """The question: the only line that the command sends."""

    action: str
    params: dict[str, Any]
    version: int = VERSION


class Progressed(msgspec.Struct, frozen=True, tag="progress"):
    """How far the Run is."""

    stage: str
    done: int
    total: int
    unit: str


class Noted(msgspec.Struct, frozen=True, tag="note"):
    """A sentence from the Run."""

    level: str
    text: str


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """Nothing new, but still at it."""


class Answered(msgspec.Struct, frozen=True, tag="answer"):
    """The end: it worked."""

    result: Any


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The end: it did not."""

    code: str
    message: str


News = Progressed | Noted
Line = Ask | Progressed | Noted | Beat | Answered | Refused


def send(connection: socket.socket, line: Line) -> None:
    """Write one line. Raises OSError when the other side is gone."""
    connection.sendall(msgspec.json.encode(line) + b"\n")


def receive(connection: socket.socket) -> Iterator[Line]:
    """Every line until the other side closes. Raises Corrupt for what is not a line of ours, OSError on a timeout."""
    pending = b""
    while chunk := connection.recv(65536):
        *lines, pending = (pending + chunk).split(b"\n")
        if len(pending) > LINE_LIMIT:
            raise Corrupt("The control socket sent something that is not an answer of Framerr.")
        for line in lines:
            yield _decoded(line)


def _decoded(line: bytes) -> Line:
    try:
        decoded: Line = msgspec.json.decode(line, type=Line)
    except msgspec.MsgspecError:
        raise Corrupt(
            "The control socket speaks another language. Use the framerr command of the version that is running."
        ) from None
    return decoded


def error_of(code: str, message: str, path: Path) -> FramerrError:
    """The error that `code` names, as it was on the other side."""
    if code == DiskFull.code:
        return DiskFull(message, path=path)
    kinds = {kind.code: kind for kind in FramerrError.__subclasses__()}
    return kinds.get("unavailable" if code == "interrupted" else code, FramerrError)(message)
