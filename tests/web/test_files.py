"""Downloads over a real server: whole, in parts, continued, and without keeping a thread busy."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest
from flask import Flask, Response

from framerr.core.errors import NotFound, Unavailable
from framerr.server.http import HttpServer
from framerr.web import files

CONTENT = bytes(range(256)) * 4096  # 1 MiB in which every offset shows


@dataclass(frozen=True)
class Download:
    """A server that sends one file."""

    port: int
    path: Path

    def ask(self, method: str = "GET", **headers: str) -> tuple[int, Message, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(
                method, "/file", headers={name.replace("_", "-"): text for name, text in headers.items()}
            )
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


@pytest.fixture
def download(tmp_path: Path) -> Iterator[Download]:
    path = tmp_path / "framerr-manual-2026-03-10T12-00-00Z.zip"
    path.write_bytes(CONTENT)
    app = Flask("download", static_folder=None)

    def file() -> Response:
        return files.send(path, name=path.name)

    def alive() -> str:
        return "alive"

    app.add_url_rule("/file", "file", file)
    app.add_url_rule("/alive", "alive", alive)
    server = HttpServer(app, socket.create_server(("127.0.0.1", 0)))
    server.start()
    yield Download(server.port, path)
    server.stop(2)


def test_a_whole_file_arrives_with_its_name_and_length(download: Download) -> None:
    """200, attachment, the exact length, and that parts may be asked for."""
    status, headers, body = download.ask()
    assert status == 200
    assert body == CONTENT
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Type"] == "application/zip"
    assert headers["Content-Disposition"] == f'attachment; filename="{download.path.name}"'


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1-999", 1, 1000),
        ("bytes=1000-", 1000, len(CONTENT)),
        ("bytes=-1", len(CONTENT) - 1, len(CONTENT)),
        ("bytes=-99999999", 0, len(CONTENT)),
        ("bytes=1048575-", len(CONTENT) - 1, len(CONTENT)),
        ("bytes=500000-99999999", 500_000, len(CONTENT)),
    ],
)
def test_one_range_is_sent_from_its_position(download: Download, wanted: str, start: int, stop: int) -> None:
    """206 with exactly these bytes, through the server's own file loop."""
    status, headers, body = download.ask(Range=wanted)
    assert status == 206
    assert body == CONTENT[start:stop]
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
    assert headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("wanted", ["bytes=1048576-", "bytes=9999999-99999999", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(download: Download, wanted: str) -> None:
    """416 and how long the file is."""
    status, headers, body = download.ask(Range=wanted)
    assert (status, body) == (416, b"")
    assert headers["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=5-2", "items=0-1", "bytes", "bytes=a-b", ""])
def test_several_or_unreadable_ranges_give_the_whole_file(download: Download, wanted: str) -> None:
    """HTTP lets a server ignore them; nothing is guessed."""
    status, _, body = download.ask(Range=wanted)
    assert (status, len(body)) == (200, len(CONTENT))


def test_a_download_is_continued_only_from_the_same_file(download: Download) -> None:
    """If-Range with the tag or the date of the file gives the rest; of another file, the whole."""
    _, headers, _ = download.ask()
    for known in (headers["ETag"], headers["Last-Modified"]):
        status, _, body = download.ask(Range="bytes=1048000-", If_Range=known)
        assert (status, body) == (206, CONTENT[1_048_000:])
    for other in ('"other"', f"W/{headers['ETag']}", "Mon, 01 Jan 2024 00:00:00 GMT"):
        status, _, body = download.ask(Range="bytes=1048000-", If_Range=other)
        assert (status, len(body)) == (200, len(CONTENT))


def test_a_replaced_file_has_another_tag(download: Download) -> None:
    """Even with the same size, so that a part of the new one is never put behind the old one."""
    _, before, _ = download.ask("HEAD")
    replacement = download.path.with_suffix(".new")
    replacement.write_bytes(bytes(len(CONTENT)))
    replacement.replace(download.path)
    _, after, _ = download.ask("HEAD")
    assert before["ETag"] != after["ETag"]


def test_what_the_browser_has_is_not_sent_again(download: Download) -> None:
    """304 for the tag and for the date."""
    _, headers, _ = download.ask()
    assert download.ask(If_None_Match=headers["ETag"])[::2] == (304, b"")
    assert download.ask(If_Modified_Since=headers["Last-Modified"])[::2] == (304, b"")
    assert download.ask(If_None_Match='"other"')[0] == 200


def test_head_tells_and_sends_nothing(download: Download) -> None:
    """The headers of the answer without its body, also for a range."""
    status, headers, body = download.ask("HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(CONTENT)), b"")
    status, headers, body = download.ask("HEAD", Range="bytes=10-19")
    assert (status, headers["Content-Length"], body) == (206, "10", b"")


def test_an_empty_file_is_sent(download: Download) -> None:
    """No part of it exists, the whole does."""
    download.path.write_bytes(b"")
    assert download.ask()[::2] == (200, b"")
    assert download.ask(Range="bytes=0-")[0] == 416


def test_slow_readers_do_not_stop_the_others(download: Download) -> None:
    """More stalled downloads than the server has threads, and a small page still answers: the file is handed over."""
    download.path.write_bytes(CONTENT * 16)
    stalled = []
    for _ in range(12):
        reader = socket.create_connection(("127.0.0.1", download.port), timeout=10)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
        assert reader.recv(12) == b"HTTP/1.1 200"
        stalled.append(reader)
    connection = http.client.HTTPConnection("127.0.0.1", download.port, timeout=5)
    connection.request("GET", "/alive")
    assert connection.getresponse().read() == b"alive"
    connection.close()
    for reader in stalled:
        reader.close()


def test_many_ranges_at_once_are_each_right(download: Download) -> None:
    """Every download has a file and a position of its own."""
    wrong: list[int] = []

    def fetch(start: int) -> None:
        if download.ask(Range=f"bytes={start}-{start + 4999}")[2] != CONTENT[start : start + 5000]:
            wrong.append(start)

    threads = [threading.Thread(target=fetch, args=(n * 40_000 + n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain.zip", 'attachment; filename="plain.zip"'),
        ('a"b\\c/d.zip', 'attachment; filename="a_b_c_d.zip"'),
        ("line\r\nbreak.zip", 'attachment; filename="line__break.zip"'),
        ("Größe 100%.zip", "attachment; filename=\"Gr__e 100_.zip\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20100%25.zip"),
    ],
)
def test_names_survive_every_client(name: str, expected: str) -> None:
    """RFC 6266: a plain name for old clients, the exact one beside it; nothing can break out of the header."""
    assert files.disposition(name) == expected


def test_a_file_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    """NotFound for a missing file and for a folder, never a traceback."""
    app = Flask("x")
    for path in (tmp_path / "gone.zip", tmp_path, tmp_path / "gone.zip" / "below"):
        with app.test_request_context(), pytest.raises((NotFound, Unavailable)):
            files.send(path)
