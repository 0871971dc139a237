"""A real `framerr` in processes of its own: started, asked, stopped, killed. Nothing here sleeps for luck."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 40.0


def environment(folder: Path, **env: str) -> dict[str, str]:
    """What a process gets: a folder, loopback, and nothing of this machine's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    ours = {"FRAMERR_CONFIG_DIR": str(folder), "FRAMERR_HOST": "127.0.0.1", "FRAMERR_SETUP_CODE": "off"}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[1])} | ours | env


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def framerr(
    folder: Path, *arguments: str, stdin: str = "", cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "framerr", *arguments],
        env=environment(folder, **env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=cwd or folder.parent,
        check=False,
    )


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def until(found: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait for a fact, with a deadline."""
    deadline = time.monotonic() + patience
    while not found():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain: {what}"
        time.sleep(0.02)


class Served:
    """`framerr serve` on a folder and a free port. Its output is in `log`."""

    def __init__(self, folder: Path, *arguments: str, port: int | None = None, **env: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log_file = folder.parent / f"{folder.name}-{self.port}.log"
        with self.log_file.open("ab") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "framerr", "serve", *arguments],
                env=environment(folder, PORT=str(self.port), **env),
                stdout=sink,
                stderr=sink,
                cwd=folder.parent,
            )

    def __enter__(self) -> Self:
        return self.until_ready()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page; (0, '') when nothing answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def until_ready(self) -> Self:
        def is_ready() -> bool:
            assert self.process.poll() is None, f"it ended: {self.log}"
            return self.get("/health/ready")[0] == 200

        until(is_ready, f"ready: {self.log}")
        return self

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, patience: float = PATIENCE) -> int:
        return self.process.wait(patience)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
