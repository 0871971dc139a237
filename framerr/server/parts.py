"""The moving parts of a running appliance: started in one order, stopped in the other."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from threading import Event
from typing import Any

import framerr
from framerr import tasks
from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.console import desk
from framerr.console.actions import ACTIONS
from framerr.console.listener import Listener, Tell
from framerr.core.clock import utcnow
from framerr.core.errors import FramerrError, InvalidInput, Unavailable
from framerr.core.lock import FolderLock
from framerr.jobs.runner import Runner
from framerr.jobs.ticker import EVERY, Ticker
from framerr.server.http import HttpServer
from framerr.web import create_app
from framerr.web.proxies import is_trusted

log = logging.getLogger(__name__)
LAST_WORDS = 2.0
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# Two ticks missed, and sooner than a state on trial is confirmed.
SILENCE = timedelta(seconds=2.25 * EVERY)


class Parts:
    """Runner, console, web server and ticker of one appliance. Start once, stop once."""

    def __init__(self, appliance: Appliance, lock: FolderLock, bound: socket.socket) -> None:
        self._appliance, self._lock = appliance, lock
        self._runner = Runner(appliance.db, tasks.table(appliance), on_outcome=tasks.on_outcome)
        self._ticker = Ticker(partial(tasks.tick, appliance))
        self._web = HttpServer(create_app(appliance), bound, is_exempt=self._speaks_for_many)
        self._console: Listener | None = None
        appliance.lifecycle.on_wake(self._runner.wake)
        appliance.lifecycle.check_with("web", self._web.fault)
        appliance.lifecycle.check_with("database", self._database_fault)
        appliance.lifecycle.check_with("scheduler", self._scheduler_fault)

    def start(self) -> None:
        """The ticker comes last: what was missed is caught up once the appliance answers."""
        self._runner.start()
        self._open_console()
        self._web.start()
        self._ticker.start()
        settings = self._appliance.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        log.info("Framerr %s answers on http://%s:%d%s", framerr.__version__, host, self._web.port, settings.base_path)

    def stop(self, grace: float) -> None:
        """Nothing new is begun, what runs reaches a safe point within `grace` seconds, then the doors close."""
        self._ticker.stop()
        if not self._runner.stop(grace):
            log.warning("A job did not reach a safe point within %d seconds; it will be shown as interrupted", grace)
        if self._console is not None:
            self._console.stop(LAST_WORDS)
            self._lock.describe(socket=None)
        self._web.stop(LAST_WORDS)

    def _open_console(self) -> None:
        """Without it only commands suffer, so that is no reason not to run."""
        try:
            listener = Listener(self._answer, self._appliance.paths.tmp)
            listener.start()
        except Unavailable as error:
            log.warning("Commands cannot reach this process: %s", error.message)
            return
        self._console = listener
        self._lock.describe(socket=str(listener.path))

    def _answer(self, action: str, params: Mapping[str, Any], tell: Tell, stop: Event) -> Any:
        if action not in ACTIONS:
            raise InvalidInput(f"The version that runs knows no action named {action}. Use its own framerr command.")
        return ACTIONS[action].do(desk.in_process(self._appliance, tell, stop), params)

    def _speaks_for_many(self, address: str) -> bool:
        """Reverse proxies, and what runs beside the appliance: one of them, most often, or the check of a container."""
        return is_trusted(address, (*LOOPBACK, *self._appliance.settings.trusted_proxies))

    def _database_fault(self) -> str | None:
        try:
            with self._appliance.db.reading() as session:
                users.count_users(session)
        except FramerrError as error:
            return error.message
        return None

    def _scheduler_fault(self) -> str | None:
        last = self._ticker.last_tick_at
        if last is not None and abs(utcnow() - last) < SILENCE:
            return None
        return "The scheduler does not tick. Look into the log; restart the appliance if it stays like this."
