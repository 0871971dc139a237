"""The main job from end to end: set up, fill, back up, restore into an empty folder under another key, compare."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from framerr.appliance import Appliance, boot, folder
from framerr.backups import swap
from framerr.cli.rehearsal import comparison, sample
from framerr.cli.rehearsal.browser import Browser
from framerr.cli.rehearsal.process import Process
from framerr.console import door
from framerr.core.clock import utcnow
from framerr.core.config import Settings
from framerr.core.crypto import InstanceKey
from framerr.core.errors import Conflict
from framerr.core.paths import Paths
from framerr.observability import logs

OK = 200
Say = Callable[[str], None]


def run(environ: Mapping[str, str], say: Say) -> None:
    """Do every step and say it. Raises the FramerrError of the first thing that is not as it should be."""
    logs.configure("human", "ERROR")
    first_key, second_key = InstanceKey.new(), InstanceKey.new()
    password = secrets.token_urlsafe(12)
    with TemporaryDirectory(prefix="framerr-main-job-") as scratch:
        first = Process(Path(scratch) / "first", environ, first_key.raw.hex())
        second = Process(Path(scratch) / "second", environ, second_key.raw.hex())
        archive = _fill_and_back_up(first, password, say)
        _bring_back(second, archive, password, say)
        found = comparison.compare(
            archive, Paths(first.settings.config_dir), first_key, Paths(second.settings.config_dir), second_key
        )
    say(
        f"✓ compared: {found.rows} rows in {found.tables} tables, {found.credentials} credentials opened under the new "
        f"key, {found.files} files: all equal"
    )
    say("The main job works.")


def _fill_and_back_up(first: Process, password: str, say: Say) -> Path:
    """Set up and fill the first instance, and back it up while it runs; the archive."""
    with _opened(first.settings) as appliance:
        sample.fill(appliance, password, utcnow())
    say("✓ first folder: set up and filled: users, pictures, icons, favicon, a service with its credential")
    with first:
        _sign_in(first.address, password)
        say(f"✓ serving on {first.address}, signed in")
        made = door.perform(first.settings, "backup.create", {}, _ignore)
        say(f"✓ backed up and verified while it runs: {made['name']}")
    say("✓ stopped politely")
    return Paths(first.settings.config_dir).backups / str(made["name"])


def _bring_back(second: Process, archive: Path, password: str, say: Say) -> None:
    """Restore the archive into an empty instance while it runs, and sign in to what came back."""
    with second:
        say(f"✓ second, empty folder with another key: serving on {second.address}, showing its wizard")
        door.perform(second.settings, "restore", {"file": str(archive)}, _ignore)
        paths = Paths(second.settings.config_dir)
        second.wait_for(lambda: None if swap.state(paths) == "trial" else "The restored state is not put in.")
        second.wait_ready()
        say("✓ restored, and restarted by itself")
        _sign_in(second.address, password)
        say("✓ signed in with the restored password")
    say("✓ stopped politely")


def _sign_in(address: str, password: str) -> None:
    """Raises Conflict when the person does not land inside."""
    browser = Browser(address)
    browser.go("/login")
    browser.submit(username=sample.ADMINISTRATOR, password=password)
    if browser.path != "/" or browser.status != OK:
        raise Conflict(f"Signing in led to {browser.path} with status {browser.status}. It shows: {browser.words()}")


@contextmanager
def _opened(settings: Settings) -> Iterator[Appliance]:
    """A stopped instance, with its folder locked."""
    paths = Paths(settings.config_dir)
    lock = folder.open_folder(paths)
    try:
        appliance = boot.open_instance(settings, paths, utcnow())
        assert appliance is not None, "nothing is on trial in an empty folder"
        try:
            yield appliance
        finally:
            appliance.db.close()
    finally:
        lock.release()


def _ignore(_news: object) -> None:
    """The rehearsal prints its own steps."""
