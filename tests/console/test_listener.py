"""The control socket of a running instance, asked by the client of the commands."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from framerr.console import client, wire
from framerr.console.listener import Answer, Listener, Tell
from framerr.core.errors import Conflict, NotFound, Unavailable
from framerr.core.lock import FolderLock
from framerr.core.paths import Paths


def echo(action: str, params: Mapping[str, Any], tell: Tell, _stop: threading.Event) -> Any:
    tell(wire.Progressed("Echoing", 1, 2, "steps"))
    tell(wire.Beat())
    tell(wire.Noted("info", "half way"))
    if action == "lose":
        raise NotFound("It is lost. Look elsewhere.")
    return {"action": action, **params}


@contextmanager
def listening(tmp_path: Path, answer: Answer) -> Iterator[Paths]:
    paths = Paths(tmp_path)
    paths.prepare()
    lock = FolderLock(paths.lock)
    lock.take()
    listener = Listener(answer, paths.tmp)
    listener.start()
    lock.describe(socket=str(listener.path))
    try:
        yield paths
    finally:
        listener.stop(5)
        lock.release()


def heard(paths: Paths, action: str, **params: Any) -> tuple[Any, list[wire.News]]:
    news: list[wire.News] = []
    return client.ask(paths, action, params, news.append), news


def test_an_action_is_done_and_its_news_are_told(tmp_path: Path) -> None:
    with listening(tmp_path, echo) as paths:
        result, news = heard(paths, "shout", words="hello")
    assert result == {"action": "shout", "words": "hello"}
    assert news == [wire.Progressed("Echoing", 1, 2, "steps"), wire.Noted("info", "half way")]


def test_an_error_arrives_as_what_it_was(tmp_path: Path) -> None:
    with listening(tmp_path, echo) as paths, pytest.raises(NotFound, match="It is lost"):
        heard(paths, "lose")


def test_only_the_same_user_can_open_it_and_it_is_gone_afterwards(tmp_path: Path) -> None:
    listener = Listener(echo, tmp_path)
    listener.start()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (listener.path, listener.path.parent)]
    listener.stop(5)
    assert modes == [0o600, 0o700]
    assert not listener.path.parent.exists()
    assert not listener.path.is_relative_to(tmp_path)


def test_too_many_commands_at_once_are_told_so(tmp_path: Path) -> None:
    inside, go_on = threading.Semaphore(0), threading.Event()

    def wait(_action: str, _params: Mapping[str, Any], _tell: Tell, _stop: threading.Event) -> Any:
        inside.release()
        go_on.wait(20)
        return {}

    with listening(tmp_path, wait) as paths:
        askers = [threading.Thread(target=heard, args=(paths, "wait")) for _ in range(4)]
        for asker in askers:
            asker.start()
        for _ in askers:
            assert inside.acquire(timeout=20)
        with pytest.raises(Conflict, match="Too many commands"):
            heard(paths, "wait")
        go_on.set()
        for asker in askers:
            asker.join(20)


def test_a_command_hears_that_the_instance_ends(tmp_path: Path) -> None:
    inside = threading.Event()

    def follow(_action: str, _params: Mapping[str, Any], _tell: Tell, stop: threading.Event) -> Any:
        inside.set()
        stop.wait(20)
        raise Unavailable("The instance ends. Try again afterwards.")

    ends: list[str] = []

    def ask(paths: Paths) -> None:
        with pytest.raises(Unavailable) as told:
            heard(paths, "follow")
        ends.append(told.value.message)

    with listening(tmp_path, follow) as paths:
        asker = threading.Thread(target=ask, args=(paths,))
        asker.start()
        assert inside.wait(20)
    asker.join(20)
    assert ends == ["The instance ends. Try again afterwards."]


def test_a_holder_without_a_socket_takes_no_commands(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    lock = FolderLock(paths.lock)
    lock.take()
    with pytest.raises(Unavailable, match="takes no commands"):
        heard(paths, "shout")
    lock.release()


def test_a_socket_that_does_not_answer_is_said(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    lock = FolderLock(paths.lock)
    lock.take()
    lock.describe(socket=str(tmp_path / "nobody.sock"))
    with pytest.raises(Unavailable, match="did not answer"):
        heard(paths, "shout")
    lock.release()
