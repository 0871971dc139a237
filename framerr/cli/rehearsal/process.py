"""A `framerr serve` of its own for the rehearsal, on a free port of the loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from framerr.console.health import ask_ready
from framerr.core import config
from framerr.core.errors import Unavailable

PATIENCE = 60.0
LOOK_EVERY = 0.05
LOG_SHOWN = 2000


class Process:
    """Serves `folder` while the block runs; ends with SIGTERM, which must succeed. Its output goes to a log file."""

    def __init__(self, folder: Path, environ: Mapping[str, str], key: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        ours = {"FRAMERR_CONFIG_DIR": str(folder), "FRAMERR_HOST": "127.0.0.1", "PORT": str(self.port)}
        kept = {name: text for name, text in environ.items() if not name.startswith(("FRAMERR_", "SECRET_"))}
        self._environ = kept | ours | {"SECRET_ENCRYPTION_KEY": key}
        self.settings = config.load(self._environ)
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder.with_name(f"{folder.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "framerr", "serve"], env=self._environ, stdout=sink, stderr=sink
            )
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(PATIENCE)
        if kind is None and code != os.EX_OK:
            raise Unavailable(f"The appliance ended with {code} instead of 0. {self.log()}")

    def wait_ready(self) -> None:
        """Wait until it answers and is ready. Raises Unavailable when it ended or takes longer than a minute."""
        self.wait_for(lambda: ask_ready(self.settings))

    def wait_for(self, finding: Callable[[], str | None]) -> None:
        """Wait until there is no finding any more. Raises Unavailable with the last one."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while found := finding():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"The appliance did not get that far: {found} {self.log()}")
            time.sleep(LOOK_EVERY)

    def log(self) -> str:
        """The end of what it wrote."""
        return "Its log ends with:\n" + self._log.read_text(errors="replace")[-LOG_SHOWN:]
