"""The wheel, installed from the lock into an environment of its own, far from the checkout."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

import framerr

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.packaging
BOOT_SECONDS = 30.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds what requirements.lock names, and the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("framerr-*.whl")
    venv.create(folder / "venv", with_pip=False)
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "venv" / "bin" / "python",
        "install",
        "-qq",
    ]
    subprocess.run([*pip, "--require-hashes", "--only-binary=:all:", "-r", ROOT / "requirements.lock"], check=True)
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    return folder / "venv" / "bin"


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The address of `framerr serve` on a new folder; stopped with SIGTERM, which must end in 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {"PATH": os.defpath, "FRAMERR_CONFIG_DIR": str(tmp_path / "config"), "FRAMERR_HOST": "127.0.0.1"}
    process = subprocess.Popen([installed / "framerr", "serve"], cwd=tmp_path, env={**environ, "PORT": str(port)})
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/health")
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            fetch(url)
            return
        except URLError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bytes(answer.read())


def test_the_command_explains_itself(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed / "framerr", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    for command in ("serve", "health", "doctor", "reset-password", "backup", "restore", "reset", "config"):
        assert re.search(rf"^  {command}\b", done.stdout, re.MULTILINE), command


def test_nothing_comes_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import framerr, framerr.core.paths as p; print(framerr.__file__, p.static_folder(), framerr.__version__)"
    done = subprocess.run([installed / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    package = installed.parent / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "framerr"
    assert done.stdout.split() == [f"{package}/__init__.py", f"{package}/static", framerr.__version__]


def test_an_installed_appliance_serves_pages_with_their_static_files(served: str) -> None:
    page = fetch(f"{served}/").decode()
    linked = sorted(set(re.findall(r'(?:href|src)="(/static/[^"#?]+)', page)))
    assert [Path(link).suffix for link in linked].count(".css") == 1
    for link in linked:
        version, _, name = link.removeprefix("/static/").partition("/")
        assert version, link
        assert fetch(served + link) == (ROOT / "static" / name).read_bytes()
