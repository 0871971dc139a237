"""Looking into archives for pages: one at a time in this process, remembered while the file stays as it is.

Reading all of a large archive takes longer than proxies wait. The request that begins does the reading; the page asks
again meanwhile, is told how far it is, and finds the result when it is there, also when the first answer got lost.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import current_app, request

from framerr.backups.inspect import Inspection, inspect_archive
from framerr.core.errors import FramerrError, NotFound, Unavailable
from framerr.core.files import disk_errors
from framerr.jobs.models import Unit
from framerr.jobs.progress import Progress
from framerr.web import current, htmx

REMEMBERED = 8
_EXTENSION = "framerr.inspections"
_Key = tuple[str, int, int]


@dataclass(frozen=True)
class Reading:
    """How far the reading of an archive is; `percent` is None while that is not known."""

    stage: str
    percent: int | None


@dataclass(frozen=True)
class Look:
    """What a page knows of an archive: what was found, or how far the reading is, or the sentence that refuses it.

    `is_kept`: the next look will say the same, so a page may load itself again to show it whole.
    """

    found: Inspection | None = None
    reading: Reading | None = None
    problem: str = ""
    is_kept: bool = False


class Watched(Progress):
    """Progress that other threads may look at."""

    def __init__(self) -> None:
        self._stage, self._done, self._total = "", 0, 0

    def stage(self, name: str, total: int = 0, unit: Unit = "") -> None:  # noqa: ARG002 - a percentage needs no unit
        self._stage, self._done, self._total = name, 0, total

    def advance(self, n: int = 1) -> None:
        self._done += n

    def look(self) -> Reading:
        percent = min(100, self._done * 100 // self._total) if self._total else None
        return Reading(self._stage, percent)


class Inspections:
    """What was found in archives, good or not, and the one reading that is under way. Safe to use from many threads."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._watched: tuple[_Key, Watched] | None = None
        self._found: OrderedDict[_Key, Inspection | FramerrError] = OrderedDict()

    def known(self, path: Path) -> Inspection | None:
        """What was found in this very file, if it was read. Raises what was found wrong with it."""
        with self._lock:
            found = self._found.get(_key(path))
        if isinstance(found, FramerrError):
            raise found
        return found

    def look(self, path: Path) -> Inspection | Reading:
        """Read the archive, unless somebody reads one already: then say how far that is.

        Raises what `inspect_archive` raises; that is remembered too, but for what may pass (a disk that is full or away).
        """
        known = self.known(path)
        if known is not None:
            return known
        key = _key(path)
        if not self._reading.acquire(blocking=False):
            return self._how_far(key)
        try:
            return self._read(key, path)
        finally:
            with self._lock:
                self._watched = None
            self._reading.release()

    def _read(self, key: _Key, path: Path) -> Inspection:
        progress = Watched()
        with self._lock:
            self._watched = key, progress
        parts = current.appliance()
        found: Inspection | FramerrError
        try:
            found = inspect_archive(path, parts.paths, progress, limits=parts.limits)
        except FramerrError as error:
            if _may_pass(error):
                raise
            found = error
        with self._lock:
            self._found[key] = found
            while len(self._found) > REMEMBERED:
                self._found.popitem(last=False)
        if isinstance(found, FramerrError):
            raise found
        return found

    def _how_far(self, key: _Key) -> Reading:
        with self._lock:
            watched = self._watched
        if watched is None or watched[0] != key:
            return Reading("Waiting for another archive to be read", None)
        return watched[1].look()


def look(path: Path) -> Look:
    """What can be said of an archive now. The script of the page, or somebody who asks for it, begins the reading."""
    try:
        if htmx.wants_fragment() or request.args.get("look"):
            found = memory().look(path)
        else:
            found = memory().known(path) or Reading("", None)
    except FramerrError as error:
        return Look(problem=error.message, is_kept=not _may_pass(error))
    return Look(reading=found) if isinstance(found, Reading) else Look(found=found, is_kept=True)


def refusal(path: Path) -> str:
    """What was found wrong with an archive when it was looked into, or the empty text."""
    try:
        memory().known(path)
    except FramerrError as error:
        return error.message
    return ""


def memory() -> Inspections:
    """What this process found so far."""
    return cast(Inspections, current_app.extensions.setdefault(_EXTENSION, Inspections()))


def _may_pass(error: FramerrError) -> bool:
    """Whether another look may find something else: the disk was full or away, the file is no longer there."""
    return isinstance(error, (Unavailable, NotFound))


def _key(path: Path) -> _Key:
    with disk_errors(path):
        facts = path.stat()
    return str(path), facts.st_size, facts.st_mtime_ns
