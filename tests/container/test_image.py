"""What the image promises about users, privileges, health and signals; every container here is hardened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.container.conftest import Container, StartContainer, free_port, podman

pytestmark = pytest.mark.container


def owners(folder: Path) -> set[tuple[int, int]]:
    return {(path.lstat().st_uid, path.lstat().st_gid) for path in (folder, *folder.rglob("*"))}


def status_of_init(container: Container) -> dict[str, str]:
    lines = container.run("cat", "/proc/1/status").stdout.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.fixture(scope="module")
def container(start_container: StartContainer) -> Container:
    return start_container("usual", environ={"PUID": "1234", "PGID": "2345"})


def test_it_runs_as_puid_and_pgid_without_any_privilege(container: Container) -> None:
    status = status_of_init(container)
    assert status["Uid"].split() == ["1234"] * 4
    assert status["Gid"].split() == ["2345"] * 4
    assert status["Groups"].split() in ([], ["2345"])
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


def test_everything_in_config_belongs_to_puid_and_pgid(container: Container) -> None:
    assert owners(container.config) == {(1234, 2345)}
    private = [container.config / name for name in ("data", "backups", "keys")]
    assert [folder.stat().st_mode & 0o777 for folder in private] == [0o700] * 3
    assert "not a mount" not in container.logs()


def test_a_command_in_the_container_leaves_no_file_of_roots(container: Container) -> None:
    """`docker exec` arrives as root; the command takes the appliance's user."""
    done = container.run("framerr", "config", "set", "instance.name", "From inside", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "From inside" in container.run("framerr", "config", "get", "instance.name").stdout
    assert owners(container.config) == {(1234, 2345)}


def test_the_health_check_says_healthy(container: Container) -> None:
    podman("healthcheck", "run", container.name)
    assert "framerr health" in podman(
        "inspect", "--format={{json .Config.Healthcheck}}", container.name
    ).stdout.replace('","', " ")


def test_there_is_no_compiler_and_no_installer(container: Container) -> None:
    found = container.run("sh", "-c", "command -v gcc cc make pip pip3 /opt/venv/bin/pip; true").stdout.split()
    # The base image may bring its own pip; the appliance's environment does not.
    assert [path for path in found if not path.startswith("/usr/local/bin/pip")] == []


def test_a_second_container_on_the_same_folder_is_refused_in_words(
    container: Container, start_container: StartContainer
) -> None:
    second = start_container("second", config=container.config, environ=container.environ, ready=False)
    assert podman("wait", second.name).stdout.strip() != "0"
    assert str(container.config) not in second.logs()
    assert "/config" in second.logs()
    assert container.answers("/health/ready")


def test_another_user_does_not_take_the_files_of_a_running_instance(
    container: Container, start_container: StartContainer
) -> None:
    """Whoever forgets PUID in a one-off container would end the running one's writing."""
    thief = start_container(
        "thief", config=container.config, environ={"PUID": "1001", "PGID": "1001"}, ready=False
    )  # fmt: skip
    assert podman("wait", thief.name).stdout.strip() != "0"
    assert "keep their owner" in thief.logs()
    assert owners(container.config) == {(1234, 2345)}
    assert container.answers("/health/ready")


def test_a_folder_of_another_user_is_taken_over(start_container: StartContainer, tmp_path: Path) -> None:
    """Private folders of somebody else, as a restored disk or an older PUID leaves them."""
    first = start_container("before", config=tmp_path, environ={"PUID": "1001", "PGID": "1001"})
    assert first.stop() == 0
    assert owners(tmp_path) == {(1001, 1001)}
    start_container("after", config=tmp_path, environ={"PUID": "1002", "PGID": "1003"})
    assert owners(tmp_path) == {(1002, 1003)}


def test_it_stops_politely_when_told_and_starts_again(start_container: StartContainer) -> None:
    stopped = start_container("polite")
    assert stopped.stop() == 0
    podman("start", stopped.name)
    stopped.wait_until_ready()
    assert owners(stopped.config) == {(1000, 1000)}


def test_it_starts_again_after_being_killed(start_container: StartContainer) -> None:
    killed = start_container("killed")
    podman("kill", "--signal=KILL", killed.name)
    podman("wait", killed.name)
    podman("start", killed.name)
    killed.wait_until_ready()


def test_with_a_user_of_its_own_it_needs_no_capability(start_container: StartContainer, tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4321)
    container = start_container("user", config=tmp_path, user="4321:4321")
    assert status_of_init(container)["Uid"].split() == ["4321"] * 4
    assert owners(tmp_path) == {(4321, 4321)}
    podman("healthcheck", "run", container.name)
    assert container.stop() == 0


def test_a_folder_it_may_not_write_is_named_in_words(start_container: StartContainer, tmp_path: Path) -> None:
    container = start_container("readonly", config=tmp_path, user="4321:4321", ready=False)
    assert podman("wait", container.name).stdout.strip() != "0"
    said = container.logs()
    assert "/config" in said
    assert "4321" in said
    assert "Traceback" not in said


def test_a_config_that_is_no_mount_is_warned_about(image: str) -> None:
    """R-002-42: what is not mounted is lost with the container."""
    name = f"framerr-test-{os.getpid()}-unmounted"
    environ = [f"--env=PORT={free_port()}", "--env=FRAMERR_HOST=127.0.0.1"]
    try:
        podman("run", "--detach", f"--name={name}", *environ, image)
        container = Container(image, name, Path("/nowhere"), port=int(environ[0].rpartition("=")[2]))
        container.wait_until_ready()
        assert "not a mount" in container.logs()
    finally:
        podman("rm", "--force", "--time=5", name)
