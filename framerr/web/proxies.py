"""Who is really asking, and under which address, behind reverse proxies that are named; and the base path.

`X-Forwarded-*` headers are believed only when the peer of the connection lies in a trusted network. Counting hops, as
the usual middleware does, believes anyone who reaches the port; walking the list from the right does not.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from framerr.core.config import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FORWARDED = ("FOR", "PROTO", "HOST", "PREFIX", "PORT", "SERVER", "BY")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


class TrustedProxies:
    """WSGI middleware. Afterwards REMOTE_ADDR, the scheme, the host and SCRIPT_NAME are what the person used.

    No forwarded header is left in the environment, so nothing further in can believe one by mistake. The base path is
    recognised both when the proxy strips it and when it does not.
    """

    def __init__(self, app: WSGIApplication, networks: Sequence[Network], base_path: str) -> None:
        self._app = app
        self._networks = tuple(networks)
        self._base_path = base_path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        forwarded = {name: environ.pop(f"HTTP_X_FORWARDED_{name}", "") for name in _FORWARDED}
        environ.pop("HTTP_FORWARDED", None)
        prefix = ""
        if is_trusted(environ.get("REMOTE_ADDR", ""), self._networks):
            hops = self._believe(environ, forwarded)
            prefix = _nth_from_right(forwarded["PREFIX"], hops)
        self._mount(environ, prefix)
        return self._app(environ, start_response)

    def _believe(self, environ: WSGIEnvironment, forwarded: dict[str, str]) -> int:
        client, hops = client_address(environ["REMOTE_ADDR"], forwarded["FOR"], self._networks)
        environ["REMOTE_ADDR"] = client
        scheme = _nth_from_right(forwarded["PROTO"], hops).lower()
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme
        host = _nth_from_right(forwarded["HOST"], hops)
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host
        return hops

    def _mount(self, environ: WSGIEnvironment, prefix: str) -> None:
        """Set SCRIPT_NAME. The configured path wins; without one, a trusted X-Forwarded-Prefix is used."""
        base = self._base_path or (prefix.rstrip("/") if _PREFIX.fullmatch(prefix) and "/." not in prefix else "")
        if not base:
            return
        path = environ.get("PATH_INFO", "")
        if path == base or path.startswith(base + "/"):
            environ["PATH_INFO"] = path[len(base) :]
        environ["SCRIPT_NAME"] = base


def client_address(peer: str, forwarded_for: str, networks: Sequence[Network]) -> tuple[str, int]:
    """The first address from the right that is no trusted proxy, and how many trusted proxies were passed.

    `peer` must be trusted. Entries to the left of the answer were written by a stranger and are ignored; an entry that
    is not an address ends the walk at the proxy that handed it on.
    """
    address, hops = peer, 0
    entries = [entry.strip() for entry in forwarded_for.split(",") if entry.strip()]
    while is_trusted(address, networks):
        hops += 1
        if not entries:
            break
        candidate = _address(entries.pop())
        if candidate is None:
            break
        address = candidate
    return address, hops


def is_trusted(address: str, networks: Sequence[Network]) -> bool:
    """Whether `address` lies in one of `networks`; an IPv4 address written as IPv6 counts as what it is."""
    text = _address(address)
    if text is None:
        return False
    parsed = ipaddress.ip_address(text)
    return any(parsed.version == network.version and parsed in network for network in networks)


def _address(text: str) -> str | None:
    """An address without port, brackets, zone or IPv4-in-IPv6 form; None when it is not one."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _nth_from_right(header: str, hops: int) -> str:
    """What the outermost of `hops` trusted proxies said; the leftmost value when some of them overwrote the list."""
    values = [value.strip() for value in header.split(",") if value.strip()]
    return values[-min(hops, len(values))] if values else ""
