"""Asking the process that runs the instance."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from framerr.console import wire
from framerr.core.errors import Cancelled, Unavailable
from framerr.core.lock import Holder, holder
from framerr.core.paths import Paths

SILENCE = 30.0


def ask(paths: Paths, action: str, params: Mapping[str, Any], emit: Callable[[wire.News], None]) -> Any:
    """Have `action` done by the holder of the folder; `emit` hears its news.

    Raises what the action raised there, Cancelled after Ctrl-C (which only ends the following), or Unavailable when the holder cannot be asked: it starts or stops just now,
    is another container, or does not answer.
    """
    known = holder(paths.lock)
    try:
        with _connected(known, paths) as connection:
            wire.send(connection, wire.Ask(action, dict(params)))
            for line in wire.receive(connection):
                match line:
                    case wire.Answered(result):
                        return result
                    case wire.Refused(code, message):
                        raise wire.error_of(code, message, paths.root)
                    case wire.Progressed() | wire.Noted():
                        emit(line)
    except KeyboardInterrupt:
        raise Cancelled(
            "Nobody follows it any more, but the appliance goes on with it. Its Activity page can stop it."
        ) from None
    except OSError as error:
        raise Unavailable(_silent(known, paths, error.strerror or str(error))) from error
    raise Unavailable(_silent(known, paths, "the connection ended"))


def _connected(known: Holder | None, paths: Paths) -> socket.socket:
    if known is None or known.socket is None:
        raise Unavailable(
            f"{paths.root} is in use by a process that takes no commands: it is starting or stopping, or is another "
            "command. Try again in a moment."
        )
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(SILENCE)
    try:
        connection.connect(known.socket)
    except OSError:
        connection.close()
        raise
    return connection


def _silent(known: Holder | None, paths: Paths, reason: str) -> str:
    who = f" by process {known.pid} on host {known.host}" if known else ""
    if known and known.host != os.uname().nodename and known.socket and not Path(known.socket).exists():
        return (
            f"{paths.root} is in use{who}, which is another container. Run the command in that one, "
            "for example: docker exec -it framerr framerr …"
        )
    return (
        f"{paths.root} is in use{who}, which did not answer ({reason}). If it is shutting down, try again in a moment; "
        "if it hangs, stop it and run the command again."
    )
