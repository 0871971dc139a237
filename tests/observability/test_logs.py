"""Log lines: JSON or human, with fields, without secrets (issue 2, Web; planted and searched)."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from framerr.core.crypto import InstanceKey
from framerr.observability import logs, masking
from framerr.observability.masking import register_key

SECRET = "hunter2-Tr0ub4dor"
logger = logging.getLogger("framerr.test")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    masking._known = ()


def lines_of(form: Literal["json", "human"], level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(form, level, stream=stream)
    return stream


def read_json(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail_with(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("it failed")


def test_a_json_line_has_time_level_logger_message_fields_and_request() -> None:
    stream = lines_of("json")
    token = logs.request_id.set("r-123")

    logger.info("backup %s made", "a.zip", extra={"fields": {"size": 7, "good": True}})

    logs.request_id.reset(token)
    (line,) = read_json(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "framerr.test",
        "message": "backup a.zip made",
        "fields": {"size": 7, "good": True},
        "request_id": "r-123",
    }


def test_a_human_line_is_one_line() -> None:
    stream = lines_of("human")

    logger.warning("made\nWARNING forged: line\x1b[31m", extra={"fields": {"name": "a b", "size": 7, "kind": "x"}})

    (line,) = stream.getvalue().splitlines()
    assert line.endswith('WARNING framerr.test: made\\nWARNING forged: line\\x1b[31m name="a b" size=7 kind=x')


def test_a_human_line_names_the_request_and_a_stack_when_asked_for() -> None:
    stream = lines_of("human")
    token = logs.request_id.set("r-123")

    logger.info("here", stack_info=True)

    logs.request_id.reset(token)
    first, *stack = stream.getvalue().splitlines()
    assert first.endswith("framerr.test: here request=r-123")
    assert stack[0] == "Stack (most recent call last):"


def test_a_traceback_follows() -> None:
    human, machine = lines_of("human"), None
    fail_with("no room")
    machine = lines_of("json")
    fail_with("no room")

    assert human.getvalue().splitlines()[1] == "Traceback (most recent call last):"
    assert human.getvalue().splitlines()[-1] == "ValueError: no room"
    (line,) = read_json(machine)
    assert line["exception"].splitlines()[-1] == "ValueError: no room"


def test_the_level_holds_and_chatty_libraries_are_quiet() -> None:
    stream = lines_of("json", "INFO")

    logger.debug("no")
    logging.getLogger("apscheduler.executors.default").info("no")
    logging.getLogger("apscheduler.executors.default").warning("yes")

    assert [line["message"] for line in read_json(stream)] == ["yes"]


def test_configuring_again_replaces_the_handler() -> None:
    first, second = lines_of("json"), lines_of("human")

    logger.info("once")

    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


def test_warnings_are_log_lines() -> None:
    stream = lines_of("json")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old thing", stacklevel=1)

    (line,) = read_json(stream)
    assert line["logger"] == "py.warnings"
    assert "old thing" in line["message"]


@pytest.mark.parametrize("form", ["json", "human"])
def test_secrets_planted_everywhere_are_never_found(form: Literal["json", "human"]) -> None:
    """Message, arguments, fields, exception, chained exception, request id: none carries a secret out."""
    key = InstanceKey.new()
    register_key(key.raw)
    sealed = key.seal(SECRET, "integrations.credential")
    stream = lines_of(form, "DEBUG")

    logger.info("key %s", key.raw.hex())
    logger.info("login password=%s", SECRET)
    logger.info({"password": SECRET})
    logger.info("fields", extra={"fields": {"password": SECRET, "row": sealed, "headers": {"Cookie": SECRET}}})
    logger.info("sent Bearer %s", SECRET)
    logger.info("bytes", extra={"fields": {"authorization": SECRET.encode(), "items": [("token=" + SECRET)]}})
    fail_with(f"cannot open {sealed} for https://al:{SECRET}@example.com with {key.raw.hex()}")

    written = stream.getvalue()
    assert written.count("\n") >= 7
    assert SECRET not in written
    assert key.raw.hex() not in written
    assert sealed.rpartition(":")[2] not in written


def test_the_setup_code_is_in_the_log_on_purpose() -> None:
    stream = lines_of("human")

    logger.info("setup code", extra={"fields": {"code": "ABCD-2345"}})

    assert "ABCD-2345" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "human"])
def test_odd_values_do_not_break_a_line(form: Literal["json", "human"]) -> None:
    stream = lines_of(form)

    logger.info("odd \ud800", extra={"fields": {"path": object(), "set": {1}, 7: "x", "nan": float("nan")}})
    logger.info("no fields", extra={"fields": None})
    logger.info("one value", extra={"fields": "text"})

    assert len(stream.getvalue().splitlines()) == 3
