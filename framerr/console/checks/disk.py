"""The folder: there, ours, kept, on a file system that SQLite can trust, with room."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from framerr.appliance import mounts
from framerr.appliance.folder import required
from framerr.console.checks.finding import Finding
from framerr.core.files import free_bytes, size_in_words
from framerr.core.paths import Paths

LITTLE, TOO_LITTLE = 500_000_000, 50_000_000
LOOKED_AT = 20_000


def folder(paths: Paths) -> Finding:
    root = paths.root
    if root.is_dir():
        facts = root.stat()
        return Finding(
            "folder", "ok", f"{root}, owned by {facts.st_uid}:{facts.st_gid}, mode {facts.st_mode & 0o777:o}"
        )
    if root.exists():
        return Finding("folder", "bad", f"{root} is not a folder", "Set FRAMERR_CONFIG_DIR to a folder.")
    return Finding("folder", "warn", f"{root} does not exist yet", "It is made by the first start: framerr serve")


def permissions(paths: Paths) -> Finding:
    """Whether this user may write what must be written. The user that serves may be another one."""
    who = f"{os.geteuid()}:{os.getegid()}"
    there = [path for path in (*required(paths), paths.backups) if path.exists()]
    refused = [path for path in there if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=True)]
    refused += [path for path in islice(_files(paths), LOOKED_AT) if not _is_ours(path)][:5]
    if not refused:
        return Finding("permissions", "ok", f"user {who} can read and write everything")
    named = ", ".join(str(path) for path in refused[:5])
    return Finding("permissions", "bad", f"user {who} cannot write {named}", f"chown -R {who} {paths.root}")


def mount(paths: Paths) -> Finding:
    warning = mounts.unkept(paths.root, mounts.read())
    if warning is None:
        return Finding("kept", "ok", "nothing says that the folder is lost with the container")
    fact, _, advice = warning.partition(". ")
    return Finding("kept", "warn", fact, advice or "Mount a named volume or a folder of the host there.")


def file_system(paths: Paths) -> Finding:
    found = mounts.mount_of(paths.data if paths.data.exists() else paths.root, mounts.read())
    if found is None:
        return Finding("file system", "warn", "the kernel does not tell", "")
    if found.is_remote:
        return Finding(
            "file system",
            "warn",
            f"{found.kind} from {found.source} at {found.point}: locks and writes depend on a network or another program",
            f"Keep {paths.root} on a local disk, since SQLite can be damaged there; only {paths.backups} may be remote.",
        )
    return Finding("file system", "ok", f"{found.kind} at {found.point}")


def one_file_system(paths: Paths) -> Finding:
    there = [path for path in (paths.data, paths.incoming, paths.staging) if path.exists()]
    points = {mount.point for mount in mounts.read()}
    apart = [path for path in there if path.stat().st_dev != paths.root.stat().st_dev or path.resolve() in points]
    if not apart:
        return Finding("one volume", "ok", "data and incoming lie together")
    named = " and ".join(str(path) for path in apart)
    return Finding("one volume", "bad", f"{named} is a mount of its own", f"Mount one volume at {paths.root} instead.")


def free_space(paths: Paths) -> Finding:
    folders = {path: free_bytes(path) for path in (paths.root, paths.backups) if path.exists()}
    known = {path: free for path, free in folders.items() if free is not None}
    if not known:
        return Finding("free space", "warn", "unknown", "")
    tightest = min(known, key=lambda path: known[path])
    words = f"{size_in_words(known[tightest])} free for {tightest}"
    if known[tightest] < TOO_LITTLE:
        return Finding("free space", "bad", words, "Free some space: nothing can be saved safely now.")
    if known[tightest] < LITTLE:
        return Finding("free space", "warn", words, "Free some space, or lower Max backups.")
    return Finding("free space", "ok", words)


def _files(paths: Paths) -> list[Path]:
    return [Path(base, name) for base, _, names in os.walk(paths.data) for name in names]


def _is_ours(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK, effective_ids=True) or not path.exists()
