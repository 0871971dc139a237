"""The Dockerfile and its entrypoint keep the promises that need no build to be checked."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import framerr
from framerr.core.lock import FolderLock

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = [
    line.split(maxsplit=1) for line in DOCKERFILE.replace("\\\n", " ").splitlines() if re.match(r"[A-Z]+ ", line)
]
ENTRYPOINT = ROOT / "docker-entrypoint.sh"


def arguments(instruction: str) -> list[str]:
    return [parts[1] for parts in INSTRUCTIONS if parts[0] == instruction]


def test_the_final_image_is_the_base_with_tini_and_the_environment() -> None:
    assert arguments("ARG")[0] == "BASE_IMAGE=python:3.11-slim-bookworm"
    assert arguments("FROM") == ["${BASE_IMAGE} AS build", "${BASE_IMAGE}"]
    installed = re.findall(r"apt-get install -y --no-install-recommends ([^&]+)", DOCKERFILE.replace("\\\n", " "))
    assert [names.split() for names in installed] == [["tini"]]


def test_packages_come_from_the_locks_with_hashes_and_without_a_compiler() -> None:
    installs = [part for part in re.split(r"&&|\n", DOCKERFILE.replace("\\\n", " ")) if "pip install" in part]
    from_index = [part for part in installs if "--no-index" not in part]
    assert len(from_index) == 2
    assert all("--require-hashes" in part and "--only-binary=:all:" in part for part in from_index)


def test_there_is_no_volume_and_no_user() -> None:
    """An anonymous volume would hide an unmounted /config; the user is PUID:PGID, known only at start."""
    assert arguments("VOLUME") == []
    assert arguments("USER") == []


def test_port_health_check_and_labels_are_declared() -> None:
    assert arguments("EXPOSE") == ["3001"]
    assert arguments("HEALTHCHECK")[0].endswith('CMD ["framerr", "health"]')
    assert f"VERSION={framerr.__version__}" in arguments("ARG")
    (labels,) = arguments("LABEL")
    assert set(re.findall(r"org\.opencontainers\.image\.(\w+)=", labels)) == {
        "title", "description", "licenses", "version", "revision",
    }  # fmt: skip


def test_the_image_gets_only_what_it_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = {name for parts in arguments("COPY") if "--from" not in parts for name in parts.split()[:-1]}
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert {name for name in copied if not name.startswith("--")} == allowed


def test_the_entrypoint_is_short_and_drops_privileges_before_the_init() -> None:
    text = ENTRYPOINT.read_text()
    assert len(text.splitlines()) <= 40
    assert re.search(r"set -- tini -- \"\$@\"", text)
    last = text.strip().splitlines()[-1]
    assert last.startswith("exec setpriv ")
    assert all(word in last for word in ("--clear-groups", "--no-new-privs", "--bounding-set -all"))


@pytest.mark.parametrize("uid", ["abc", "1000;id", "-1"])
@pytest.mark.skipif(subprocess.check_output(["id", "-u"]) != b"0\n", reason="only root's part reads PUID")
def test_the_entrypoint_refuses_a_user_that_is_no_number(uid: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", ENTRYPOINT, "true"],
        env={"PATH": "/usr/bin:/bin:/usr/sbin", "PUID": uid, "FRAMERR_CONFIG_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (f"PUID and PGID must be numbers, and are {uid} and 1000. Find yours with: id -u; id -g\n")


def entered(folder: Path, program: Path) -> subprocess.CompletedProcess[str]:
    """Root's part of the entrypoint for user 1234, with `program` in the place of the init."""
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    program.parent.chmod(0o755)
    path = f"{program.parent}:/usr/bin:/bin:/usr/sbin"
    return subprocess.run(
        ["sh", ENTRYPOINT, "true"],
        env={"PATH": path, "PUID": "1234", "PGID": "1234", "FRAMERR_CONFIG_DIR": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(subprocess.check_output(["id", "-u"]) != b"0\n", reason="only root gives files away")
def test_the_entrypoint_takes_no_files_from_a_process_that_holds_the_folder(tmp_path: Path) -> None:
    """A second container with another PUID would end the first one's writing."""
    folder, tini = tmp_path / "my config", tmp_path / "tini"
    folder.mkdir()
    (folder / "file").touch()
    lock = FolderLock(folder / ".framerr.lock")
    lock.take()
    refused = entered(folder, tini)
    assert "is in use, so its files keep their owner" in refused.stderr
    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {0}
    lock.release()

    assert entered(folder, tini).stderr.count("keep their owner") == 0

    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {1234}


@pytest.mark.skipif(subprocess.check_output(["id", "-u"]) != b"0\n", reason="only root gives files away")
def test_the_entrypoint_gives_away_a_folder_nobody_ever_held(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    entered(folder, tmp_path / "tini")
    assert folder.stat().st_uid == 1234


@pytest.mark.parametrize(
    "script",
    ["docker-entrypoint.sh", ".ci/run"]
    + [f"scripts/{name}" for name in ("containers", "demo", "environment.sh", "lock", "test", "test-container")],
)
def test_shell_scripts_parse(script: str) -> None:
    shell = "bash" if "bash" in (ROOT / script).read_text().splitlines()[0] else "sh"
    subprocess.run([shell, "-n", ROOT / script], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "-x", script], cwd=ROOT, check=True)


@pytest.mark.parametrize("script", ["demo", "test"])
def test_an_unknown_option_shows_the_usage_and_exits_with_2(script: str) -> None:
    done = subprocess.run([ROOT / "scripts" / script, "--nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"scripts/{script}" in done.stdout
