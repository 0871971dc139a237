"""Names every folder and file under `/config`, and the folder of static files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import framerr

PACKAGE = Path(framerr.__file__).parent


@dataclass(frozen=True)
class Paths:
    """The layout of one instance below `root`. Properties only name; `prepare` is what creates."""

    root: Path

    @property
    def data(self) -> Path:
        """What a restore replaces, as one folder."""
        return self.root / "data"

    @property
    def database(self) -> Path:
        return self.data / "framerr.db"

    @property
    def profile_pictures(self) -> Path:
        return self.data / "profile-pictures"

    @property
    def custom_icons(self) -> Path:
        return self.data / "custom-icons"

    @property
    def favicon(self) -> Path:
        return self.data / "favicon"

    @property
    def backups(self) -> Path:
        """The ZIPs (R-002-4). People mount a NAS here, so files are renamed only within it."""
        return self.root / "backups"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def instance_key(self) -> Path:
        return self.keys / "instance.key"

    @property
    def cookie_key(self) -> Path:
        return self.keys / "cookie.key"

    @property
    def incoming(self) -> Path:
        return self.root / "incoming"

    @property
    def uploads(self) -> Path:
        """Resumable uploads, kept 24 hours across restarts."""
        return self.incoming / "uploads"

    @property
    def tmp(self) -> Path:
        """Swept at every boot: nothing here outlives the process that made it."""
        return self.incoming / "tmp"

    @property
    def staging(self) -> Path:
        """A restored state on its way to `data`; swept at boot once no restore is pending."""
        return self.incoming / "staging"

    @property
    def lock(self) -> Path:
        return self.root / ".framerr.lock"

    @property
    def setup_code(self) -> Path:
        return self.root / "setup-code.txt"

    @property
    def restore_pending(self) -> Path:
        return self.root / "restore.pending"

    @property
    def restore_trial(self) -> Path:
        return self.root / "restore.trial"

    @property
    def restore_return(self) -> Path:
        return self.root / "restore.return"

    @property
    def restore_outcome(self) -> Path:
        """What the last swap did, waiting to be told in the database that is live now."""
        return self.root / "restore.outcome"

    @property
    def data_before(self) -> Path:
        """The state a restore replaced, kept until the next proven backup, 7 days at most."""
        return self.root / "data.before"

    @property
    def data_failed(self) -> Path:
        """A restored state that gave way to the previous one; removed once that has been told."""
        return self.root / "data.failed"

    def prepare(self) -> None:
        """Create what is missing below the root, private to the owner.

        Raises OSError when a folder cannot be made. Folders that exist keep their mode, since people mount them.
        """
        made_by_us = (
            self.data,
            self.profile_pictures,
            self.custom_icons,
            self.favicon,
            self.backups,
            self.keys,
            self.uploads,
            self.tmp,
            self.staging,
        )
        for folder in made_by_us:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def static_folder() -> Path:
    """The static files: inside the package when installed, beside it in a checkout."""
    inside = PACKAGE / "static"
    return inside if inside.is_dir() else PACKAGE.parent / "static"
