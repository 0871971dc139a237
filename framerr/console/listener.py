"""The control socket of a running instance: a Unix socket that only its own user can open."""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from framerr.console import wire
from framerr.core.errors import Conflict, FramerrError, Unavailable
from framerr.core.files import remove_tree

log = logging.getLogger(__name__)
NAME = "control.sock"
PATH_LIMIT = 107
AT_ONCE = 4
TURN = 30.0

Tell = Callable[[wire.Line], None]
Answer = Callable[[str, Mapping[str, Any], Tell, threading.Event], Any]


class Listener:
    """Owns the socket and its threads. `answer` does an action and tells its news, until the event is set; what it
    raises is sent back."""

    def __init__(self, answer: Answer, fallback: Path) -> None:
        self._answer = answer
        self._folder = _private_folder(fallback)
        self.path = self._folder / NAME
        self._ending = threading.Event()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._open: set[threading.Thread] = set()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._accept, name="console", daemon=True)

    def start(self) -> None:
        """Listen. Raises Unavailable when the socket cannot be made; the folder is gone then."""
        try:
            self._socket.bind(str(self.path))
            self.path.chmod(0o600)
            self._socket.listen(AT_ONCE)
        except OSError as error:
            self._socket.close()
            remove_tree(self._folder)
            raise Unavailable(f"The control socket {self.path} could not be made: {error}.") from error
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Accept no more, give the commands that are being answered `seconds` to hear the end, remove the socket."""
        self._ending.set()
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._thread.join()
        self._socket.close()
        for thread in list(self._open):
            thread.join(seconds)
        remove_tree(self._folder)

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._converse, args=(connection,), name="console-turn", daemon=True)
            self._open.add(thread)
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(TURN)
                self._take_turn(connection)
        except OSError as error:
            log.info("A command stopped listening: %s", error)
        finally:
            self._open.discard(threading.current_thread())

    def _take_turn(self, connection: socket.socket) -> None:
        def tell(line: wire.Line) -> None:
            wire.send(connection, line)

        try:
            # The question is read even when it is refused: who closes on a question cuts off the answer to it.
            asked = next(wire.receive(connection), None)
            if isinstance(asked, wire.Ask):
                tell(wire.Answered(self._in_turn(asked, tell)))
        except FramerrError as error:
            tell(wire.Refused(error.code, error.message))

    def _in_turn(self, asked: wire.Ask, tell: Tell) -> Any:
        if not self._turns.acquire(blocking=False):
            raise Conflict("Too many commands are being answered. Try again in a moment.")
        try:
            return self._answer(asked.action, asked.params, tell, self._ending)
        finally:
            self._turns.release()


def _private_folder(fallback: Path) -> Path:
    """A new folder in the system's place for temporary files, outside `/config`; inside it when that is read-only."""
    for parent in (Path("/tmp"), Path("/dev/shm"), fallback):  # noqa: S108 - mkdtemp makes a private folder there
        try:
            folder = Path(tempfile.mkdtemp(prefix="framerr-", dir=parent))
        except OSError:
            continue
        if len(str(folder / NAME)) <= PATH_LIMIT:
            return folder
        folder.rmdir()
    raise Unavailable(
        f"There is no place for the control socket: /tmp is not writable and {fallback} has too long a path."
    )
