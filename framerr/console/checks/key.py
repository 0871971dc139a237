"""The instance key: where it comes from and whether it opens what is sealed."""

from __future__ import annotations

from framerr.console.checks.database import Stored
from framerr.console.checks.finding import Finding
from framerr.core.config import Settings
from framerr.core.crypto import resolve_key
from framerr.core.errors import FramerrError
from framerr.core.paths import Paths


def key(settings: Settings, paths: Paths, stored: Stored) -> Finding:
    """Never makes a key: `resolve_key` would only where neither environment nor file has one."""
    if not settings.secret_encryption_key and not paths.instance_key.exists():
        return _missing(paths, stored)
    try:
        found = resolve_key(settings, paths).fingerprint
    except FramerrError as error:
        return Finding("key", "bad", error.message, "Keep the one whose fingerprint the credentials need.")
    source = "SECRET_ENCRYPTION_KEY" if settings.secret_encryption_key else str(paths.instance_key)
    strangers = sorted({other for other in stored.sealed_by if other != found})
    if strangers:
        count = sum(other != found for other in stored.sealed_by)
        words = f"{found} from {source} cannot open {count} credentials sealed with {' and '.join(strangers)}"
        return Finding("key", "bad", words, "Put the old key back, or enter the credentials again.")
    return Finding("key", "ok", f"{found} from {source}, opens all {len(stored.sealed_by)} credentials")


def _missing(paths: Paths, stored: Stored) -> Finding:
    if stored.sealed_by:
        needed = " and ".join(sorted(set(stored.sealed_by)))
        found = f"there is none, but {len(stored.sealed_by)} credentials need {needed}"
        advice = f"Put the key back as {paths.instance_key} or in SECRET_ENCRYPTION_KEY."
        return Finding("key", "bad", found, advice)
    return Finding("key", "ok", "none yet: it is made by the first start")
