"""What the process as a whole is asked to do: stop, start anew, wake its workers; and whether it is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Lifecycle:
    """Shared between the server, the pages and the jobs of one process. Owns only flags; `server` acts on them."""

    restart_reason: str | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _on_wake: list[Callable[[], None]] = field(default_factory=list)
    _checks: dict[str, Callable[[], str | None]] = field(default_factory=dict)

    def request_restart(self, reason: str) -> None:
        """Ask the server to shut down politely and execute itself anew. Returns at once; asking twice is fine."""
        self.restart_reason = reason
        self._ended.set()

    def request_stop(self) -> None:
        """Ask the server to shut down politely. Returns at once."""
        self._ended.set()

    @property
    def ending(self) -> bool:
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until an end was requested, `seconds` at most; whether it was."""
        return self._ended.wait(seconds)

    def on_wake(self, call: Callable[[], None]) -> None:
        """Register what `wake` calls; only while the process is put together."""
        self._on_wake.append(call)

    def wake(self) -> None:
        """Tell the workers that a Run was queued, so that they need not wait for their next look."""
        for call in self._on_wake:
            call()

    def check_with(self, name: str, check: Callable[[], str | None]) -> None:
        """Register a readiness check: None when all is well, else a sentence. Only while the process is put together."""
        self._checks[name] = check

    def not_ready(self) -> dict[str, str]:
        """Name to sentence for every check that fails now; empty when the appliance is ready."""
        findings = {name: check() for name, check in self._checks.items()}
        return {name: finding for name, finding in findings.items() if finding is not None}
