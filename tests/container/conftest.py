"""Containers of the image that `scripts/test --container` built, run with podman on 127.0.0.1."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

TOOL = Path(__file__).parents[2] / "scripts" / "containers"
BOOT_SECONDS = 30.0
# What the product promises to live with: everything else is taken away in every test.
HARDENED = (
    "--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges",
)  # fmt: skip
ROOTS_PART = ("CHOWN", "DAC_READ_SEARCH", "SETUID", "SETGID", "SETPCAP")


def podman(*arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run podman. Its complaint about the missing systemd, which would run health checks, goes to standard error."""
    return subprocess.run(
        [TOOL, "podman", *arguments], capture_output=True, text=True, check=check, timeout=timeout
    )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Container:
    """One container on a folder of the host. Removing and starting it anew keeps the folder, as a new image would."""

    image: str
    name: str
    config: Path
    environ: dict[str, str] = field(default_factory=dict)
    user: str = ""
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, ready: bool = True) -> None:
        capabilities = [] if self.user else [f"--cap-add={name}" for name in ROOTS_PART]
        environ = {"FRAMERR_HOST": "127.0.0.1", "PORT": str(self.port), "TZ": "Europe/Berlin", **self.environ}
        podman(
            "run", "--detach", f"--name={self.name}", f"--volume={self.config}:/config", *HARDENED, *capabilities,
            *([f"--user={self.user}"] if self.user else []),
            *(f"--env={name}={value}" for name, value in environ.items()), self.image,
        )  # fmt: skip
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while not self.answers("/health/ready"):
            assert time.monotonic() < deadline, f"{self.name} does not become ready:\n{self.logs()}"
            time.sleep(0.1)

    def answers(self, path: str) -> bool:
        try:
            return requests.get(self.address + path, timeout=5).ok
        except requests.ConnectionError:
            return False

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`docker exec`: what an owner types, arriving as root unless the container has a user."""
        return podman("exec", self.name, *command, check=check)

    def stop(self) -> int:
        """Stop it as `docker stop` does; the exit code of the appliance."""
        podman("stop", "--time=20", self.name)
        return int(podman("inspect", "--format={{.State.ExitCode}}", self.name).stdout)

    def remove(self) -> None:
        podman("rm", "--force", "--time=5", self.name, check=False)

    def logs(self) -> str:
        shown = podman("logs", self.name, check=False)
        return shown.stdout + shown.stderr


StartContainer = Callable[..., Container]


@pytest.fixture(scope="session")
def image() -> str:
    name = os.environ.get("FRAMERR_IMAGE")
    if not name:
        pytest.skip("There is no image to test; scripts/test --container builds one.")
    return name


@pytest.fixture(scope="module")
def start_container(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartContainer]:
    """Start a container on an empty folder, or on the `config` given; all of them are removed at the end."""
    started: list[Container] = []

    def start(name: str, *, config: Path | None = None, ready: bool = True, **options: object) -> Container:
        folder = config or tmp_path_factory.mktemp(name)
        container = Container(image, f"framerr-test-{os.getpid()}-{name}", folder, **options)  # type: ignore[arg-type]
        started.append(container)
        container.start(ready=ready)
        return container

    yield start
    for container in started:
        container.remove()
