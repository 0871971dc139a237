"""What the benchmarks share: processes that are watched, clocks, and the table of figures.

A figure is what we need and what a peer, or the limit of the machine, needed in the same run. Times of a shared machine
drift by a fifth from day to day, so ratios are what to compare; nothing here fails because something took long.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
MIB = 1 << 20
PATIENCE = 60.0


@dataclass(frozen=True)
class Figure:
    """One line of the table. Less is better in all of them: seconds, milliseconds, MiB.

    `at_most` is a target in the figure's unit, `share` one as a part of the peer's; no target without either.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    at_most: float | None = None
    share: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.peer else None

    @property
    def target(self) -> str:
        limit = f"<= {self.at_most:.3g} {self.unit}" if self.at_most is not None else ""
        part = f"<= {self.share:.2f} x" if self.share is not None else ""
        return limit or part

    @property
    def met(self) -> str:
        if self.at_most is not None:
            return "yes" if self.ours <= self.at_most else "MISSED"
        if self.share is not None and self.ratio is not None:
            return "yes" if self.ratio <= self.share else "MISSED"
        return ""

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x"
        peer = "" if self.peer is None else _amount(self.peer, self.unit)
        return self.name, _amount(self.ours, self.unit), peer, ratio, self.target, self.met


def _amount(number: float, unit: str) -> str:
    digits = 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{digits}f} {unit}"


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    rows = [("figure", "ours", "peer", "ours / peer", "target", "met"), *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def say(text: str) -> None:
    """What is being measured now; the table itself comes last."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder on the disk that TMPDIR names, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="framerr-bench-") as name:
        yield Path(name)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def run(*command: str | Path, cwd: Path) -> None:
    """Run a program of the machine to its end. Ends the benchmark in words when it is missing or fails."""
    if shutil.which(str(command[0])) is None:
        sys.exit(f"{command[0]} is missing. The peers need: sudo apt-get install sqlite3 zip unzip")
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Server:
    """A server in a process of its own. `with` starts it, waits until `page` answers 200, and ends it politely."""

    command: Sequence[str | Path]
    page: str
    env: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    boot: float = 0.0

    def __enter__(self) -> Self:
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(self.port)} | dict(self.env)
        self.log = tempfile.TemporaryFile("w+")
        began = time.perf_counter()
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=env, stdout=self.log, stderr=subprocess.STDOUT)
        self.wait()
        self.boot = time.perf_counter() - began
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def wait(self) -> None:
        """Until `page` answers 200."""
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.log.seek(0)
                sys.exit(f"{self.command[0]} did not come up:\n{self.log.read()}")
            time.sleep(0.002)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", self.page)
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def memory(self, key: str = "VmRSS") -> float:
        """MiB of resident memory; `VmHWM` is the highest since `forget_peak`."""
        return _kilobytes(f"/proc/{self.process.pid}/status", key) / 1024

    def private_memory(self) -> float:
        """MiB in which pages that are shared with other processes count in part."""
        return _kilobytes(f"/proc/{self.process.pid}/smaps_rollup", "Pss") / 1024

    def forget_peak(self) -> float:
        """Begin a new peak; returns the memory now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self.memory()


def _kilobytes(path: str, key: str) -> int:
    line = next(line for line in Path(path).read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1])


def bare(kind: str) -> Server:
    """The peer of the appliance (`bare.py`), to be started with `with`."""
    return Server([sys.executable, Path(__file__).with_name("bare.py"), kind], "/")


class Prober:
    """Asks a server for its readiness again and again while something else happens, until it is left or hung up on."""

    EVERY = 0.005

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._waits: list[tuple[float, float]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def longest(self, until: float = float("inf")) -> float:
        """Milliseconds that an answer took which was there at that moment (seconds of the epoch)."""
        return 1000 * max((wait for at, wait in self._waits if at <= until), default=0.0)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(HOST, self._server.port, timeout=PATIENCE)
        with suppress(ConnectionError):
            while not self._stop.wait(self.EVERY):
                began = time.perf_counter()
                connection.request("GET", self._server.page)
                connection.getresponse().read()
                self._waits.append((time.time(), time.perf_counter() - began))
        connection.close()
