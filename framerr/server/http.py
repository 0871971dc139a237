"""waitress: the address is reserved first, the requests are served in a thread, the end is polite.

It keeps answering when somebody opens connections and never finishes what they ask: see `server.crowd`.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from framerr.accounts.throttle import network_of
from framerr.core.config import Settings
from framerr.core.errors import Conflict, InvalidInput
from framerr.server import crowd
from framerr.server.crowd import Guest, Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)
THREADS = 8
BACKLOG = 256
MAX_BODY = 16 << 20
MAX_HEADERS = 64 << 10
IDLE_SECONDS = 120
LOOK_EVERY = 5
# From here on waitress keeps a body in a file.
LARGE_BODY = 512 << 10
# waitress counts its own two, and those that are about to be closed.
_SPARE_PLACES = 64
_TELL_EVERY = 60.0


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


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection, which knows since when it waits and when it holds much."""

    def __init__(self, server: _Server, sock: socket.socket, addr: tuple[Any, ...], adj: Any, map: Any) -> None:
        self.since = time.time()
        self.is_used = self.has_body = False
        self.origin = network_of(str(addr[0]))
        super().__init__(server, sock, addr, adj, map)
        server.make_room(self)

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.since, self.is_used, self.has_body = time.time(), True, False
        taken = bool(super().received(data))
        body = self.request
        if not self.has_body and body is not None and _size(body) > LARGE_BODY:
            self.has_body = True
            self.server.make_room(self)
        return taken

    def is_late(self, now: float, limits: Limits) -> bool:
        """Whether what was begun, or never begun, took too long. One that waits for another request may wait longer."""
        if self.requests or (self.is_used and self.request is None):
            return False
        return crowd.is_late(
            silent=now - self.last_activity,
            arriving=now - self.since,
            headers_finished=self.request is not None and self.request.headers_finished,
            limits=limits,
        )

    def as_guest(self) -> Guest:
        has_body = self.has_body and bool(self.requests or self.request is not None)
        waits = not self.requests and not self.total_outbufs_len
        return Guest(self._fileno, self.origin, self.since, waits, has_body)

    def handle_close(self) -> None:
        """A body that was cut off gives its file back now, not when the collector comes by."""
        if self.request is not None:
            self.request.close()
        super().handle_close()

    def give_way(self) -> None:
        """Close in the next round of the loop; what arrived of a body is given back at once."""
        self.will_close = True
        if self.request is not None:
            self.request.close()


def _size(request: Any) -> int:
    return max(int(request.content_length), int(request.body_bytes_received))


class _Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Makes room for whoever comes."""

    channel_class = _Channel

    def __init__(
        self, app: WSGIApplication, bound: socket.socket, limits: Limits, is_exempt: Callable[[str], bool]
    ) -> None:
        self._limits, self._is_exempt = limits, is_exempt
        self._told_at = 0.0
        workers = ThreadedTaskDispatcher()
        workers.set_thread_count(THREADS)
        adjustments = Adjustments(
            sockets=[bound],
            threads=THREADS,
            backlog=BACKLOG,
            connection_limit=limits.connections + _SPARE_PLACES,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=LOOK_EVERY,
            inbuf_overflow=LARGE_BODY,
            max_request_body_size=MAX_BODY,
            max_request_header_size=MAX_HEADERS,
            asyncore_use_poll=True,
            ident="",
            # The web layer decides which forwarding headers to believe, so it must see them.
            clear_untrusted_proxy_headers=False,
        )
        place = (bound.family, bound.type, bound.proto, bound.getsockname())
        super().__init__(
            app, {}, True, bound, dispatcher=workers, adj=adjustments, sockinfo=place, bind_socket=False
        )  # fmt: skip

    def make_room(self, newest: _Channel) -> None:
        """Let those give way who are too many since `newest` came, or began to send much."""
        channels = {each.as_guest(): each for each in self.active_channels.values() if not each.will_close}
        guests = list(channels)
        exempt = self._is_exempt(str(newest.addr[0]))
        leaving = crowd.giving_way(guests, newest.as_guest(), self._limits, is_exempt=exempt)
        for guest, channel in channels.items():
            if guest.number in leaving:
                channel.give_way()
        if leaving and abs(time.time() - self._told_at) > _TELL_EVERY:
            self._told_at = time.time()
            log.warning("Too many connections: those that waited longest were closed, the latest for %s", newest.origin)

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.is_late(now, self._limits):
                channel.give_way()


def _nobody(_address: str) -> bool:
    return False


class HttpServer:
    """Serves `app` on a bound socket, which it owns from then on.

    `is_exempt` names the addresses that speak for many people, whose connections only the limit for all bounds.
    """

    def __init__(
        self,
        app: WSGIApplication,
        bound: socket.socket,
        *,
        limits: Limits | None = None,
        is_exempt: Callable[[str], bool] = _nobody,
    ) -> None:
        self._server = _Server(app, bound, limits or Limits(), is_exempt)
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
