"""Uploads in pieces, as a tus 1.0 client sends them: what arrived stays, and nobody else can touch it."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from framerr.appliance import Appliance
from framerr.core import uploads
from framerr.core.clock import utcnow
from framerr.server.http import HttpServer
from framerr.web import create_app
from tests.factories import appliance_in
from tests.web.people import Visitor, set_up

API = "/api/1/uploads"
PIECE = "application/offset+octet-stream"
CODE = "ABCD-2345"


class Sender:
    """A tus client over a visitor's cookies and token."""

    def __init__(self, visitor: Visitor, page: str = "/setup/restore") -> None:
        visitor.get(page)
        self._visitor = visitor

    def ask(self, method: str, path: str, data: bytes = b"", **headers: str) -> TestResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        fixed = {"Tus-Resumable": "1.0.0", "X-CSRFToken": self._visitor._token}
        return self._visitor.client.open(
            path, method=method, data=data, headers=fixed | given, base_url="http://framerr.test"
        )

    def announce(self, length: int, name: str = "backup.zip", **headers: str) -> TestResponse:
        encoded = base64.b64encode(name.encode()).decode()
        return self.ask("POST", API, Upload_Length=str(length), Upload_Metadata=f"filename {encoded}", **headers)

    def begin(self, length: int, name: str = "backup.zip") -> str:
        response = self.announce(length, name)
        assert response.status_code == 201, response.text
        return str(response.headers["Location"])

    def piece(self, place: str, offset: int, data: bytes, **headers: str) -> TestResponse:
        return self.ask("PATCH", place, data, **{"Upload_Offset": str(offset), "Content_Type": PIECE} | headers)


def files(appliance: Appliance) -> list[Path]:
    return sorted(appliance.paths.uploads.iterdir())


@pytest.fixture
def wizard(empty: Appliance) -> Sender:
    """A browser in the wizard of an instance that asks for no code."""
    return Sender(Visitor(create_app(empty)))


@pytest.fixture
def sender(administrator: Visitor) -> Sender:
    return Sender(administrator, "/settings/advanced/backups/upload")


def test_the_server_says_what_it_can_do(sender: Sender) -> None:
    """OPTIONS needs no version; the largest file is the archive limit."""
    response = sender.ask("OPTIONS", API, Tus_Resumable="")

    assert response.status_code == 204
    told = {name: response.headers[name] for name in ("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size")}
    assert told == {
        "Tus-Resumable": "1.0.0",
        "Tus-Version": "1.0.0",
        "Tus-Extension": "creation,termination,expiration",
        "Tus-Max-Size": "64000000000",
    }


def test_pieces_make_a_file(sender: Sender, appliance: Appliance) -> None:
    """Create, PATCH, HEAD, PATCH: the offset is told each time, and when it all expires."""
    place = sender.begin(10, "framerr-manual.zip")
    first = sender.piece(place, 0, b"01234")
    asked = sender.ask("HEAD", place)
    last = sender.piece(place, 5, b"56789")

    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "5")
    assert (asked.status_code, asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == (200, "5", "10")
    assert asked.headers["Cache-Control"] == "no-store"
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, "10")
    assert abs(parsedate_to_datetime(last.headers["Upload-Expires"]) - utcnow() - timedelta(hours=24)) < timedelta(
        minutes=5
    )
    (part,) = (path for path in files(appliance) if path.suffix == ".part")
    assert part.read_bytes() == b"0123456789"
    assert place == f"{API}/{part.stem}"


def test_a_piece_for_another_place_is_a_conflict(sender: Sender) -> None:
    """409, and nothing changes; the client asks where to go on."""
    place = sender.begin(10)
    sender.piece(place, 0, b"01234")

    for offset in (0, 4, 6, 10):
        response = sender.piece(place, offset, b"x")
        assert response.status_code == 409
        assert response.json is not None
        assert "continues at byte 5" in response.json["error"]["message"]
    assert sender.ask("HEAD", place).headers["Upload-Offset"] == "5"


@pytest.mark.parametrize("version", ["", "0.2.2", "2.0.0"])
def test_another_version_of_the_protocol_is_refused(sender: Sender, appliance: Appliance, version: str) -> None:
    """412, naming the one that is spoken."""
    response = sender.announce(10, Tus_Resumable=version)

    assert (response.status_code, response.headers["Tus-Version"]) == (412, "1.0.0")
    assert files(appliance) == []


def test_another_kind_of_data_is_refused(sender: Sender) -> None:
    """415 for what is not a piece."""
    place = sender.begin(10)

    for kind in ("application/octet-stream", "application/json", "multipart/form-data; boundary=x", ""):
        assert sender.piece(place, 0, b"01234", Content_Type=kind).status_code == 415, kind
    assert sender.ask("HEAD", place).headers["Upload-Offset"] == "0"


def test_a_file_above_the_limit_is_refused_with_the_number(sender: Sender, appliance: Appliance) -> None:
    """413 at the announcement, before a byte is sent."""
    response = sender.announce(64_000_000_001)

    assert response.status_code == 413
    assert response.json is not None
    assert "at most 64.0\u00a0GB are accepted" in response.json["error"]["message"]
    assert "FRAMERR_ARCHIVE_LIMIT_GB" in response.json["error"]["message"]
    assert files(appliance) == []


def test_a_piece_above_the_limit_is_refused_in_its_own_words(sender: Sender) -> None:
    """The page then sends smaller ones."""
    place = sender.begin(20_000_000)

    response = sender.piece(place, 0, bytes(10_000_000))

    assert response.status_code == 413
    assert response.json is not None
    assert response.json["error"]["message"] == "Send pieces of at most 8 MB."
    assert sender.ask("HEAD", place).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("length", ["", "0", "-5", "many", "1e9"])
def test_a_length_that_is_none_is_refused(sender: Sender, appliance: Appliance, length: str) -> None:
    response = sender.ask("POST", API, Upload_Length=length)

    assert response.status_code == 422
    assert files(appliance) == []


def test_more_than_was_announced_is_refused(sender: Sender) -> None:
    """A client cannot fill the disk behind its own announcement."""
    place = sender.begin(4)

    assert sender.piece(place, 0, b"01234").status_code == 422
    assert sender.ask("HEAD", place).headers["Upload-Offset"] == "0"


def test_cancelling_removes_what_arrived(sender: Sender, appliance: Appliance) -> None:
    """DELETE, then it is not here any more."""
    place = sender.begin(10)
    sender.piece(place, 0, b"01234")

    assert sender.ask("DELETE", place).status_code == 204
    assert files(appliance) == []
    assert sender.ask("HEAD", place).status_code == 404
    assert sender.piece(place, 5, b"5").status_code == 404


def test_clients_that_cannot_patch_or_delete_may_post(sender: Sender, appliance: Appliance) -> None:
    """X-HTTP-Method-Override, as the protocol asks for."""
    place = sender.begin(5)
    headers = {"Upload_Offset": "0", "Content_Type": PIECE, "X_HTTP_Method_Override": "PATCH"}

    assert sender.ask("POST", place, b"01234", **headers).status_code == 204
    assert sender.ask("POST", place, X_HTTP_Method_Override="DELETE").status_code == 204
    assert sender.ask("POST", place, X_HTTP_Method_Override="PUT").status_code == 422
    assert files(appliance) == []


def test_a_call_without_the_token_is_refused(sender: Sender, appliance: Appliance) -> None:
    """Another site in the same browser cannot send anything."""
    place = sender.begin(5)

    assert sender.announce(5, X_CSRFToken="").status_code == 400
    assert sender.piece(place, 0, b"01234", X_CSRFToken="x").status_code == 400
    assert sender.ask("DELETE", place, X_CSRFToken="").status_code == 400
    assert len(files(appliance)) == 2


def test_only_administrators_upload_after_setup(app: Flask, editor: Visitor, stranger: Visitor) -> None:
    for visitor, status in ((editor, 403), (stranger, 401)):
        assert Sender(visitor, "/login" if visitor is stranger else "/").announce(5).status_code == status


def test_an_upload_belongs_to_who_began_it(app: Flask, appliance: Appliance, administrator: Visitor) -> None:
    """Another owner's upload is as good as none."""
    theirs = uploads.create(appliance.paths, length=5, name="x.zip", owner="user:somebody", limit=10**9, now=utcnow())
    mine = Sender(administrator, "/")

    assert mine.ask("HEAD", f"{API}/{theirs.uid}").status_code == 404
    assert mine.piece(f"{API}/{theirs.uid}", 0, b"01234").status_code == 404
    assert mine.ask("DELETE", f"{API}/{theirs.uid}").status_code == 404
    assert len(files(appliance)) == 2


def test_before_setup_only_a_browser_that_gave_the_code_uploads(tmp_path: Path) -> None:
    """The code protects the disk of an instance that nobody owns yet."""
    with appliance_in(tmp_path, FRAMERR_SETUP_CODE=CODE) as appliance:
        app = create_app(appliance)
        stranger, owner = Visitor(app), Visitor(app)
        owner.get("/setup/")
        owner.post("/setup/", {"code": CODE})

        refused = Sender(stranger, "/setup/").announce(5)
        taken = Sender(owner).announce(5)

        assert refused.status_code == 403
        assert refused.json is not None
        assert "Type the setup code first" in refused.json["error"]["message"]
        assert taken.status_code == 201


def test_before_setup_there_is_one_upload_at_a_time(wizard: Sender, empty: Appliance) -> None:
    """A new one takes the place of the one before, also when many are announced at once."""
    first = wizard.begin(5)
    second = wizard.begin(6)

    assert wizard.ask("HEAD", first).status_code == 404
    assert wizard.ask("HEAD", second).status_code == 200

    app = create_app(empty)
    senders = [Sender(Visitor(app)) for _ in range(6)]
    threads = [threading.Thread(target=one.begin, args=(7,)) for one in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([path for path in files(empty) if path.suffix == ".part"]) == 1


def test_the_wizard_takes_no_piece_once_there_is_a_user(wizard: Sender, empty: Appliance) -> None:
    """Refused at the first piece after setup, and what arrived is nobody's."""
    place = wizard.begin(10)
    wizard.piece(place, 0, b"01234")
    set_up(empty)

    assert wizard.piece(place, 5, b"56789").status_code == 401
    assert wizard.announce(5).status_code == 401


@pytest.fixture
def port(appliance: Appliance) -> Iterator[int]:
    """The appliance behind the real web server."""
    server = HttpServer(create_app(appliance), socket.create_server(("127.0.0.1", 0)))
    server.start()
    yield server.port
    server.stop(2)


def test_a_line_that_breaks_in_a_piece_costs_that_piece_only(
    port: int, appliance: Appliance, administrator: Visitor
) -> None:
    """Over the wire: two pieces arrive, the third is cut off in its middle, and it goes on at the second's end."""
    sender = Sender(administrator, "/settings/advanced/backups/upload")
    data = bytes(range(256)) * 40_000
    place, size = sender.begin(len(data)), 3_000_000
    cookie = administrator.client.get_cookie(sender_cookie(administrator), domain="framerr.test")
    assert cookie is not None
    base = {
        "Tus-Resumable": "1.0.0", "X-CSRFToken": administrator._token, "Cookie": f"{cookie.key}={cookie.value}",
        "Content-Type": PIECE,
    }  # fmt: skip
    for offset in (0, size):
        assert send(port, place, base, offset, data[offset : offset + size]) == 204

    broken = socket.create_connection(("127.0.0.1", port))
    head = "".join(f"{name}: {value}\r\n" for name, value in base.items())
    head += f"Host: framerr.test\r\nUpload-Offset: {2 * size}\r\nContent-Length: {size}\r\n\r\n"
    broken.sendall(f"PATCH {place} HTTP/1.1\r\n{head}".encode() + data[:100_000])
    broken.close()

    offset = int(sender.ask("HEAD", place).headers["Upload-Offset"])
    assert offset == 2 * size
    while offset < len(data):
        assert send(port, place, base, offset, data[offset : offset + size]) == 204
        offset += size
    (part,) = (path for path in files(appliance) if path.suffix == ".part")
    assert part.read_bytes() == data


def send(port: int, place: str, base: dict[str, str], offset: int, data: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("PATCH", place, data, base | {"Host": "framerr.test", "Upload-Offset": str(offset)})
        return connection.getresponse().status
    finally:
        connection.close()


def sender_cookie(visitor: Visitor) -> str:
    return str(visitor.client.application.config["SESSION_COOKIE_NAME"])
