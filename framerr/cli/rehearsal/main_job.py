"""The main job from end to end: set up, fill, back up, restore into an empty folder under another key, compare."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from framerr.appliance import Appliance, boot, folder
from framerr.backups import swap
from framerr.cli.rehearsal import comparison, pages, sample
from framerr.cli.rehearsal.browser import Browser
from framerr.cli.rehearsal.process import Process
from framerr.core.clock import utcnow
from framerr.core.config import Settings
from framerr.core.crypto import InstanceKey
from framerr.core.paths import Paths
from framerr.observability import logs

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
    """Set up and fill the first instance, back it up, and download the archive."""
    paths = Paths(first.settings.config_dir)
    with first:
        browser = Browser(first.address)
        pages.start_fresh(browser, paths, sample.ADMINISTRATOR, password)
        say(f"✓ first folder: set up through the wizard on {first.address}")
        pages.upload_pictures(browser)
        say("✓ profile picture, custom icons and favicon uploaded")
    with _opened(first.settings) as appliance:
        sample.connect(appliance, password, utcnow())
    say("✓ stopped politely; a second user and a service with its credential added")
    with first:
        browser = Browser(first.address)
        pages.sign_in(browser, sample.ADMINISTRATOR, password)
        archive = pages.back_up(browser, paths.root.parent)
        say(f"✓ started again, signed in; backed up, verified and downloaded: {archive.name}")
    return archive


def _bring_back(second: Process, archive: Path, password: str, say: Say) -> None:
    """Restore the archive through the wizard of an empty instance, and sign in to what came back."""
    paths = Paths(second.settings.config_dir)
    with second:
        browser = Browser(second.address)
        pages.restore(browser, paths, archive)
        say(
            f"✓ second, empty folder with another key: archive uploaded to the wizard on {second.address}, read, staged"
        )
        second.wait_for(lambda: None if swap.state(paths) == "trial" else "The restored state is not put in.")
        second.wait_ready()
        pages.sign_in(browser, sample.ADMINISTRATOR, password)
        say("✓ restarted by itself; signed in with the restored password")


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
