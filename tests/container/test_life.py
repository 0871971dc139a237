"""The life of an instance in containers: set up over HTTP, made anew on its volume, brought back in another one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from framerr.appliance import boot
from framerr.appliance.folder import open_folder
from framerr.backups import swap
from framerr.cli.rehearsal import comparison, pages, sample
from framerr.cli.rehearsal.browser import Browser
from framerr.core import config
from framerr.core.clock import utcnow
from framerr.core.crypto import InstanceKey
from framerr.core.paths import Paths
from tests.container.conftest import Container, StartContainer

pytestmark = [pytest.mark.container, pytest.mark.timeout(300)]
PASSWORD = "a password of the container"


@dataclass
class Instance:
    """A container, its key, and what is in its folder as the host sees it."""

    container: Container
    key: InstanceKey

    @property
    def paths(self) -> Paths:
        return Paths(self.container.config)

    def sign_in(self) -> Browser:
        browser = Browser(self.container.address)
        pages.sign_in(browser, sample.ADMINISTRATOR, PASSWORD)
        return browser

    def connect_a_service(self) -> None:
        """What no page makes yet, with the container stopped."""
        environ = {"FRAMERR_CONFIG_DIR": str(self.paths.root), "SECRET_ENCRYPTION_KEY": self.key.raw.hex()}
        lock = open_folder(self.paths)
        appliance = boot.open_instance(config.load(environ), self.paths, utcnow())
        assert appliance is not None
        sample.connect(appliance, PASSWORD, utcnow())
        appliance.db.close()
        lock.release()


def start(start_container: StartContainer, name: str, owner: int) -> Instance:
    key = InstanceKey.new()
    environ = {"PUID": str(owner), "PGID": str(owner), "SECRET_ENCRYPTION_KEY": key.raw.hex()}
    return Instance(start_container(name, environ=environ), key)


def owner_and_mode(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o777


@pytest.fixture(scope="module")
def first(start_container: StartContainer) -> Instance:
    """An instance that was set up in its wizard and filled, and runs."""
    instance = start(start_container, "first", 1234)
    browser = Browser(instance.container.address)
    pages.start_fresh(browser, instance.paths, sample.ADMINISTRATOR, PASSWORD)
    pages.upload_pictures(browser)
    assert instance.container.stop() == 0
    instance.connect_a_service()
    instance.container.remove()
    instance.container.start()
    return instance


@pytest.fixture(scope="module")
def archive(first: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup that was made and downloaded on the pages of the first instance."""
    return pages.back_up(first.sign_in(), tmp_path_factory.mktemp("downloaded"))


def test_a_backup_lies_in_config_private_to_the_owner(first: Instance, archive: Path) -> None:
    """R-002-4, R-002-40."""
    kept = first.container.config / "backups" / archive.name
    assert kept.read_bytes() == archive.read_bytes()
    assert owner_and_mode(kept) == (1234, 1234, 0o600)


def test_backups_survive_a_new_container_on_the_same_volume(first: Instance, archive: Path) -> None:
    """R-002-42."""
    first.container.remove()
    first.container.start()
    browser = first.sign_in()
    assert f"{pages.BACKUPS}/" in browser.go(pages.BACKUPS)
    listed = first.container.run("framerr", "backup", "list").stdout
    assert archive.name in listed
    assert "is good" in first.container.run("framerr", "backup", "verify", archive.name).stdout


def test_an_empty_container_with_another_key_is_brought_back(
    first: Instance, archive: Path, start_container: StartContainer
) -> None:
    """R-002-27 to R-002-32: everything is there again, and belongs to the owner of the second container."""
    second = start(start_container, "restored", 4321)
    pages.restore(Browser(second.container.address), second.paths, archive)
    wait_for_the_restart(second)
    second.sign_in()

    assert first.container.stop() == 0
    assert second.container.stop() == 0
    found = comparison.compare(archive, first.paths, first.key, second.paths, second.key)
    assert found.credentials == 1
    assert found.files == 4
    assert {owner_and_mode(path)[:2] for path in second.paths.root.rglob("*")} == {(4321, 4321)}


def wait_for_the_restart(instance: Instance) -> None:
    """It executes itself anew: the container goes on."""
    deadline = time.monotonic() + 60
    while swap.state(instance.paths) != "trial":
        assert time.monotonic() < deadline, instance.container.logs()
        time.sleep(0.1)
    instance.container.wait_until_ready()
