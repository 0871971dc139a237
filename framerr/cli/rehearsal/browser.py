"""A browser without a screen: cookies, forms with what is hidden in them, redirects."""

from __future__ import annotations

import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from framerr.core.errors import Conflict

SECONDS = 30.0
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Browser:
    """One visitor of one appliance. `page` is the text that is shown now, `path` where it is."""

    def __init__(self, address: str) -> None:
        self.address, self.path, self.page, self.status = address, "/", "", 0
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    @property
    def token(self) -> str:
        """The token against forged requests that the page holds."""
        found = _TOKEN.search(self.page)
        return found[1] if found else ""

    def go(self, path: str) -> str:
        """Open a page and return its text."""
        return self._show(self._request("GET", path))

    def submit(self, **values: str) -> str:
        """Fill in the form of the page that has these fields, and send it.

        Raises Conflict when the page has no such form.
        """
        reader = _Forms()
        reader.feed(self.page)
        for form in reader.forms:
            if values.keys() <= form.names:
                return self.send(form.action or self.path, form.values | values)
        raise Conflict(f"The page {self.path} has no form with {', '.join(values)}. It shows: {self.words()}")

    def send(self, path: str, values: Mapping[str, str]) -> str:
        """Post a form."""
        return self._show(self._request("POST", urljoin(self.path, path), urlencode(values).encode()))

    def send_file(self, path: str, field: str, data: bytes, values: Mapping[str, str]) -> str:
        """Post a form with a file in it, as the page's own form would."""
        boundary = f"----{secrets.token_hex(12)}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in {"csrf_token": self.token, **values}.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{field}.ico"\r\n\r\n'
        body = b"".join([*parts, head.encode(), data, f"\r\n--{boundary}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._show(self._request("POST", path, body, headers))

    def raw(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[Mapping[str, str], bytes]:
        """A request as a script of the page makes it. Raises Conflict when it is refused."""
        request = self._request(method, path, body, {"X-CSRFToken": self.token, **headers})
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                return dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise Conflict(f"{method} {path} was refused with {error.code}: {error.read()[:300]!r}") from None

    def words(self) -> str:
        """What the page says, without its marks, shortened."""
        text = re.sub(r"<(script|style|svg|head).*?</\1>|<[^>]+>", " ", self.page, flags=re.DOTALL)
        return " ".join(text.split())[:400]

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> urllib.request.Request:
        given = {"Accept": "text/html", **(headers or {})}
        return urllib.request.Request(urljoin(self.address, path), body, given, method=method)  # noqa: S310 - our own address

    def _show(self, request: urllib.request.Request) -> str:
        try:
            answer = self._opener.open(request, timeout=SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.page, self.status = answer.read().decode("utf-8", "replace"), int(answer.status or 0)
            self.path = urlsplit(answer.url).path
        return self.page


class _Form:
    def __init__(self, action: str) -> None:
        self.action, self.values, self.names = action, dict[str, str](), set[str]()


class _Forms(HTMLParser):
    """The forms of a page with the values they already hold."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self._select = ""
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(given.get("action", "")))
            self._is_inside = True
        elif self._is_inside and given.get("name") and tag in {"input", "select", "textarea", "button"}:
            self._add(tag, given)
        elif self._is_inside and tag == "option" and "selected" in given:
            self.forms[-1].values[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "form"

    def _add(self, tag: str, given: dict[str, Any]) -> None:
        form = self.forms[-1]
        form.names.add(given["name"])
        self._select = given["name"] if tag == "select" else self._select
        is_chosen = given.get("type") not in {"checkbox", "radio", "file", "submit"} or "checked" in given
        if tag == "input" and is_chosen:
            form.values[given["name"]] = given.get("value", "on")
