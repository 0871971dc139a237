"""Sending files: whole or one range of them, without a thread of ours waiting for a slow reader.

waitress hands a file over to its own loop only when the answer is a `wsgi.file_wrapper` whose Content-Length equals
what is left from the file's position (`waitress.task.WSGITask.execute`, `ReadOnlyFileBasedBuffer.prepare`). So the file
is opened, positioned at the first byte of the range, and wrapped, untouched by anything between.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

from flask import Response, request
from werkzeug.http import parse_date

from framerr.core.errors import NotFound
from framerr.core.files import disk_errors

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".zip": "application/zip",
}
# For files under random names, whose bytes never change.
FOR_EVER = "private, max-age=31536000, immutable"
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/]')


def send(path: Path, *, name: str | None = None, cache: str = "private, no-cache") -> Response:
    """The file at `path`, or the range of it that was asked for; as a download called `name` when one is given.

    Answers 200, 206 with Content-Range, 304 when the browser has it, 416 for a range outside. Several ranges at once
    are answered with the whole file, as HTTP allows. The validator is made of inode, time and size, so a replaced file
    is never continued from the old one (If-Range). Raises NotFound when the file is gone or is not a regular file,
    Unavailable when it cannot be read. Does not check who may have it.
    """
    with disk_errors(path):
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"The file {path.name} is not there any more. Reload the list.") from None
    try:
        response = _answer(file, path, name, cache)
    except BaseException:
        file.close()
        raise
    return response


def disposition(name: str) -> str:
    """`Content-Disposition` for a download called `name`, readable by old clients and exact for new ones (RFC 6266)."""
    clean = _UNSAFE.sub("_", name)
    plain = clean.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    value = f'attachment; filename="{plain}"'
    return value if plain == clean else f"{value}; filename*=UTF-8''{quote(clean, safe='')}"


def _answer(file: IO[bytes], path: Path, name: str | None, cache: str) -> Response:
    facts = os.fstat(file.fileno())
    etag = f"{facts.st_ino:x}-{facts.st_mtime_ns:x}-{facts.st_size:x}"
    modified = datetime.fromtimestamp(facts.st_mtime, UTC).replace(microsecond=0)
    response = Response(status=200, content_type=TYPES.get(path.suffix.lower(), "application/octet-stream"))
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = cache
    response.last_modified = modified
    response.set_etag(etag)
    if name is not None:
        response.headers["Content-Disposition"] = disposition(name)
    if _is_known(etag, modified):
        file.close()
        response.status_code = 304
        return response
    wanted = _range(facts.st_size, etag, modified)
    if wanted == ():
        file.close()
        response.status_code = 416
        response.headers["Content-Range"] = f"bytes */{facts.st_size}"
        return response
    start, stop = wanted or (0, facts.st_size)
    if wanted:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{facts.st_size}"
    file.seek(start)
    return _hand_over(response, file, stop - start)


def _hand_over(response: Response, file: IO[bytes], length: int) -> Response:
    wrapper = request.environ.get("wsgi.file_wrapper")
    wrapped = wrapper(file) if wrapper else None
    response.content_length = length
    response.call_on_close(file.close)
    # Only waitress's own wrapper stops at Content-Length by itself; any other server reads through `_limited`.
    response.direct_passthrough = hasattr(wrapped, "prepare")
    response.response = cast("Iterable[bytes]", wrapped) if response.direct_passthrough else _limited(file, length)
    return response


def _limited(file: IO[bytes], length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (chunk := file.read(min(length, 1 << 18))):
            length -= len(chunk)
            yield chunk


def _is_known(etag: str, modified: datetime) -> bool:
    if request.if_none_match:
        return request.if_none_match.contains_weak(etag)
    since = request.if_modified_since
    return since is not None and modified <= since


def _range(size: int, etag: str, modified: datetime) -> tuple[int, int] | tuple[()] | None:
    """Start and stop of the one range asked for; () when it lies outside; None for the whole file."""
    found = _ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if found is None or not any(found.groups()) or not _may_continue(etag, modified):
        return None
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if size and int(last) else ()
    start, stop = int(first), int(last) + 1 if last else size
    if stop <= start and last:
        return None
    return (start, min(stop, size)) if start < size else ()


def _may_continue(etag: str, modified: datetime) -> bool:
    """If-Range: a part may be sent only when the file is still the one the client began with."""
    condition = request.headers.get("If-Range")
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return condition == f'"{etag}"'
    return parse_date(condition) == modified
