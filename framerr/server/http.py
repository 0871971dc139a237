"""waitress: the address is reserved first, the requests are served in a thread, the end is polite."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import TYPE_CHECKING

from waitress import wasyncore
from waitress.server import create_server

from framerr.core.config import Settings
from framerr.core.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
BACKLOG = 256
MAX_BODY = 16 << 20
MAX_HEADERS = 64 << 10
CONNECTIONS = 500
IDLE_SECONDS = 120


def bind(settings: Settings) -> socket.socket:
    """Reserve the address; nothing is answered yet.

    Raises Conflict when the port is in use, InvalidInput when the address is not one of this machine or not allowed.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port), family=family, dualstack_ipv6=settings.host == "::", backlog=BACKLOG
        )
    except OSError as error:
        raise _refusal(settings, error) from None


def _refusal(settings: Settings, error: OSError) -> Conflict | InvalidInput:
    if error.errno == errno.EADDRINUSE:
        return Conflict(f"Port {settings.port} is in use. Stop what listens there, or set PORT to another one.")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return InvalidInput(
            f"Port {settings.port} may not be used by an ordinary user. Set PORT to 1024 or above.", field="PORT"
        )
    return InvalidInput(
        f"FRAMERR_HOST {settings.host} is not an address of this machine. Use 0.0.0.0 for all of them.",
        field="FRAMERR_HOST",
    )


class HttpServer:
    """Serves `app` on a bound socket, which it owns from then on."""

    def __init__(self, app: WSGIApplication, bound: socket.socket) -> None:
        self._server = create_server(
            app,
            sockets=[bound],
            threads=THREADS,
            backlog=BACKLOG,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            max_request_body_size=MAX_BODY,
            max_request_header_size=MAX_HEADERS,
            asyncore_use_poll=True,
            ident="",
            # The web layer decides which forwarding headers to believe, so it must see them.
            clear_untrusted_proxy_headers=False,
        )
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on, also when the system chose it."""
        return int(self._server.effective_port)

    def start(self) -> None:
        self._thread.start()

    def fault(self) -> str | None:
        """A readiness check: None while requests are served."""
        return None if self._thread.is_alive() else "The web server has stopped. Restart the appliance."

    def stop(self, seconds: float) -> None:
        """Accept no more, let answers under way be finished and sent for `seconds`, then close what is still open.

        Stopping twice, or before the start, does nothing.
        """
        if not self._thread.is_alive():
            return
        deadline = time.monotonic() + seconds
        self._in_loop(self._stop_listening)
        self._server.task_dispatcher.shutdown(timeout=seconds)
        self._in_loop(self._finish_channels)
        while self._server.active_channels and time.monotonic() < deadline:
            self._thread.join(0.02)
        self._in_loop(self._end)
        self._thread.join(1.0)

    def _in_loop(self, call: object) -> None:
        self._server.trigger.pull_trigger(call)

    def _stop_listening(self) -> None:
        self._server.accepting = False
        wasyncore.dispatcher.close(self._server)

    def _finish_channels(self) -> None:
        for channel in list(self._server.active_channels.values()):
            channel.close_when_flushed = True

    def _end(self) -> None:
        """Empty the map, which ends the loop. The trigger stays open while a late thread could still pull it: closed,
        its number could by then belong to another file."""
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        if not self._server.task_dispatcher.threads:
            self._server.trigger.close()
        self._server._map.clear()  # noqa: SLF001 - waitress offers no other end to its loop
