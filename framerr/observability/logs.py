"""Log lines: one handler to standard error, JSON for collectors or a line for people, secrets taken out.

A line is an event with fields: `logger.info("backup made", extra={"fields": {"name": name, "bytes": size}})`. The web
puts its request id into `request_id`.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

from framerr.observability.masking import mask, mask_value

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# Libraries that say on every tick or picture what nobody asked.
_QUIET = {
    "apscheduler": logging.WARNING,
    "PIL": logging.INFO,
    "alembic": logging.WARNING,
    "urllib3": logging.INFO,
    "waitress.queue": logging.ERROR,  # a line for every request that waits its turn
}
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {10: "\\n", 13: "\\r", 9: "\\t"}


def configure(form: Literal["json", "human"], level: str, *, stream: TextIO | None = None) -> None:
    """Send every log line, also those of libraries and warnings, to `stream` (standard error). Calling it again
    replaces the handler.
    """
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else HumanFormatter())
    root = logging.getLogger()
    for known in [one for one in root.handlers if isinstance(one.formatter, JsonFormatter | HumanFormatter)]:
        root.removeHandler(known)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and where there are any fields, request_id, exception."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        fields = _fields(record)
        if fields:
            line["fields"] = fields
        request = request_id.get()
        if request is not None:
            line["request_id"] = request
        trace = _trace(self, record)
        if trace:
            line["exception"] = trace
        return msgspec.json.encode(line).decode()


class HumanFormatter(logging.Formatter):
    """One line a person can read; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        message = mask(record.getMessage()).translate(_CONTROL)
        parts = [f"{_moment(record)} {record.levelname:<7} {record.name}: {message}"]
        parts += [f"{name}={_short(value)}" for name, value in _fields(record).items()]
        request = request_id.get()
        if request is not None:
            parts.append(f"request={request}")
        trace = _trace(self, record)
        return " ".join(parts) + (f"\n{trace}" if trace else "")


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = mask_value(getattr(record, "fields", None) or {})
    return fields if isinstance(fields, dict) else {"value": fields}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) and value and " " not in value else msgspec.json.encode(value).decode()
    return text.translate(_CONTROL)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback in words, masked as a whole: an exception's message may carry what it failed on."""
    parts = [formatter.formatException(record.exc_info)] if record.exc_info else []
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return mask("\n".join(parts))
