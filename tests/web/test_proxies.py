"""Reverse proxies: who is believed, and the base path both ways."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from framerr.core.errors import InvalidInput
from framerr.web import create_app
from framerr.web.proxies import TrustedProxies, client_address
from tests.factories import appliance_in
from tests.web.people import PASSWORD, Visitor, set_up

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def seen(peer: str, headers: dict[str, str], *, base_path: str = "", path: str = "/login") -> dict[str, Any]:
    """What the application sees of a request that came through the middleware."""
    found: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.update(environ)
        start_response("200 OK", [])
        return []

    builder = EnvironBuilder(path=path, headers=headers, environ_base={"REMOTE_ADDR": peer})
    run_wsgi_app(TrustedProxies(application, TRUSTED, base_path), builder.get_environ())
    return found


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("10.0.0.1", "203.0.113.5", ("203.0.113.5", 1)),
        ("10.0.0.1", "198.51.100.66, 203.0.113.5", ("203.0.113.5", 1)),
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", ("203.0.113.5", 2)),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", ("10.0.0.3", 3)),
        ("10.0.0.1", "", ("10.0.0.1", 1)),
        ("10.0.0.1", "203.0.113.5, garbage", ("10.0.0.1", 1)),
        ("10.0.0.1", "unknown", ("10.0.0.1", 1)),
        ("10.0.0.1", "203.0.113.5:4711", ("203.0.113.5", 1)),
        ("10.0.0.1", "[2001:db9::7]:4711", ("2001:db9::7", 1)),
        ("::ffff:10.0.0.1", "203.0.113.5", ("203.0.113.5", 1)),
        ("2001:db8::1", "2001:db9::7", ("2001:db9::7", 1)),
    ],
)
def test_the_client_is_the_first_stranger_from_the_right(
    peer: str, forwarded_for: str, expected: tuple[str, int]
) -> None:
    """Whatever a stranger wrote stands to the left of the truth and is never reached."""
    assert client_address(peer, forwarded_for, TRUSTED) == expected


def test_a_peer_that_is_not_trusted_is_not_believed_a_word() -> None:
    """Address, scheme, host and prefix stay what the connection says, and no forwarded header gets through."""
    forged = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Port": "1",
        "Forwarded": "for=10.9.9.9",
        "Host": "framerr.test",
    }
    environ = seen("203.0.113.66", forged)
    assert environ["REMOTE_ADDR"] == "203.0.113.66"
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["HTTP_HOST"] == "framerr.test"
    assert environ["SCRIPT_NAME"] == ""
    assert [name for name in environ if "FORWARDED" in name] == []


def test_a_trusted_proxy_is_believed() -> None:
    """The person's address, scheme, host and prefix."""
    environ = seen(
        "10.0.0.1",
        {
            "X-Forwarded-For": "203.0.113.5",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "backups.example:8443",
            "X-Forwarded-Prefix": "/framerr/",
        },
    )
    assert environ["REMOTE_ADDR"] == "203.0.113.5"
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "backups.example:8443"
    assert environ["SCRIPT_NAME"] == "/framerr"


def test_behind_two_proxies_the_outer_one_knows_scheme_and_host() -> None:
    """Each hop appended its own view; what the person used stands where the outermost trusted proxy wrote."""
    environ = seen(
        "10.0.0.1",
        {
            "X-Forwarded-For": "203.0.113.5, 10.0.0.2",
            "X-Forwarded-Proto": "https, http",
            "X-Forwarded-Host": "backups.example, inner.local",
        },
    )
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "backups.example"


@pytest.mark.parametrize("value", ["evil.example/path", "a b", "evil.example\\@x", ""])
def test_a_host_that_is_none_is_ignored(value: str) -> None:
    """A trusted proxy that passes nonsense on does not make us repeat it."""
    assert seen("10.0.0.1", {"X-Forwarded-Host": value, "Host": "framerr.test"})["HTTP_HOST"] == "framerr.test"


@pytest.mark.parametrize("value", ["//evil.example", "/../x", "no-slash", "/x y"])
def test_a_prefix_that_is_no_path_is_ignored(value: str) -> None:
    """The prefix becomes part of every link, so it has to look like one."""
    assert seen("10.0.0.1", {"X-Forwarded-Prefix": value})["SCRIPT_NAME"] == ""


@pytest.mark.parametrize("path", ["/framerr/login", "/login"])
def test_the_base_path_works_whether_the_proxy_strips_it_or_not(path: str) -> None:
    """The application sees the same request both ways."""
    environ = seen("203.0.113.66", {}, base_path="/framerr", path=path)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/framerr", "/login")


def test_a_path_that_only_begins_like_the_base_path_is_not_cut() -> None:
    """/framerrs is another page."""
    assert seen("203.0.113.66", {}, base_path="/framerr", path="/framerrs")["PATH_INFO"] == "/framerrs"


@pytest.mark.parametrize("stripped", [True, False])
def test_pages_links_and_the_cookie_live_below_the_base_path(tmp_path: Path, stripped: bool) -> None:
    """Signing in works, and nothing points outside the path."""
    with appliance_in(tmp_path, FRAMERR_BASE_PATH="/framerr") as appliance:
        set_up(appliance)
        # The jar of the test client does not know the prefix that a proxy strips, so the cookie is carried by hand.
        client = create_app(appliance).test_client(use_cookies=False)
        below = "" if stripped else "/framerr"
        page = client.get(f"{below}/login")
        assert 'action="/framerr/login"' in page.text
        assert "Path=/framerr;" in page.headers["Set-Cookie"]
        assert 'href="/framerr/static/' in page.text
        token = page.text.split('name="csrf-token" content="')[1].split('"')[0]
        done = client.post(
            f"{below}/login",
            data={"username": "alice", "password": PASSWORD, "csrf_token": token, "next": "/activity"},
            headers={"Cookie": page.headers["Set-Cookie"].partition(";")[0]},
        )
        assert (done.status_code, done.location) == (303, "/framerr/activity")


def test_a_base_path_that_hides_a_page_is_refused(tmp_path: Path) -> None:
    """/settings below /settings cannot be told apart when the proxy strips it."""
    with (
        appliance_in(tmp_path, FRAMERR_BASE_PATH="/settings") as appliance,
        pytest.raises(InvalidInput, match="FRAMERR_BASE_PATH"),
    ):
        create_app(appliance)


def test_behind_a_trusted_proxy_the_throttle_follows_the_person(tmp_path: Path) -> None:
    """One guesser behind the proxy does not make everybody wait."""
    with appliance_in(tmp_path, FRAMERR_TRUSTED_PROXIES="10.0.0.0/8") as appliance:
        set_up(appliance)
        visitor = Visitor(create_app(appliance), address="10.0.0.1")
        for _ in range(5):
            last = visitor.post(
                "/login", {"username": "alice", "password": "no"}, headers={"X-Forwarded-For": "198.51.100.1"}
            )
        assert last.status_code == 429
        good = {"username": "alice", "password": PASSWORD}
        owner = visitor.post("/login", good, headers={"X-Forwarded-For": "198.51.100.2"})
        assert owner.status_code == 303
