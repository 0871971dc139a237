"""Everything that can go wrong, as a tree.

FramerrError
 ├── InvalidInput       what was given cannot be used; nothing was changed
 ├── NotFound           the thing named does not exist (any more)
 ├── Forbidden          it exists, but not for this person, or the secret was wrong
 ├── Conflict           the state moved on, or something else is under way
 ├── LimitExceeded      too much, too big, too often
 ├── Corrupt            stored or uploaded data is not what it should be
 ├── Unavailable        a resource does not answer now; `retryable` says whether trying again helps
 │    └── DiskFull      no room left on the file system of `path`
 ├── Incompatible       made by a version this one cannot work with
 └── Cancelled          a person stopped it at a safe point

A message is a sentence for the person who must act, with the next step. `code` is a stable word for programs.
Web statuses are assigned in `web.errors`, exit codes in `cli`; nothing else maps categories.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class FramerrError(Exception):
    """The root of every error the product raises on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        # It may name a file whose name is no Unicode; it must be possible to store, to log and to send all the same.
        self.message = message.encode(errors="backslashreplace").decode()
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class InvalidInput(FramerrError):
    """`field` names the form field or option at fault, when there is one."""

    code = "invalid_input"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(FramerrError):
    code = "not_found"


class Forbidden(FramerrError):
    code = "forbidden"


class Conflict(FramerrError):
    code = "conflict"


class LimitExceeded(FramerrError):
    """`retry_after` is in seconds, when waiting helps."""

    code = "limit_exceeded"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Corrupt(FramerrError):
    code = "corrupt"


class Unavailable(FramerrError):
    """`retry_after` is in seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retryable: bool = True, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after


class DiskFull(Unavailable):
    """`needed` and `free` are bytes, when known."""

    code = "disk_full"

    def __init__(self, message: str, *, path: Path, needed: int | None = None, free: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.needed = needed
        self.free = free


class Incompatible(FramerrError):
    code = "incompatible"


class Cancelled(FramerrError):
    code = "cancelled"
