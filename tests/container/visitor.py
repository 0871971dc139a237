"""A person with a browser, over HTTP only: reads pages, fills in forms, follows what comes back."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

PIECE = 8 * 1024 * 1024


@dataclass
class Form:
    """A form as the page shows it: where it goes, and what is filled in already."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class FormReader(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
            self._open = True
        elif self._open and tag in {"input", "textarea", "button", "select"}:
            self._field(tag, given)
        elif self._open and tag == "option" and self._select and "selected" in given:
            self.forms[-1].values[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""

    def _field(self, tag: str, given: Mapping[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if not name:
            return
        form = self.forms[-1]
        form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "input" and (kind not in {"checkbox", "radio", "submit", "file"} or "checked" in given):
            form.values[name] = given.get("value", "on" if kind == "checkbox" else "")


class Visitor:
    """One browser with its cookies on one appliance."""

    def __init__(self, address: str) -> None:
        self._session = requests.Session()
        self._session.headers["Accept"] = "text/html"
        self.address = address
        self.url = address
        self.page = ""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def forms(self) -> list[Form]:
        reader = FormReader()
        reader.feed(self.page)
        return reader.forms

    @property
    def token(self) -> str:
        return next(form.values["csrf_token"] for form in self.forms if "csrf_token" in form.values)

    def open(self, path: str) -> None:
        """Follow a link; anything but a page in the end is a failure."""
        self._arrive(self._session.get(urljoin(self.url, path), timeout=30))

    def submit(self, values: Mapping[str, str], *, to: str = "") -> None:
        """Send the one form that has these fields (and whose action contains `to`), with what it holds already."""
        (form,) = (one for one in self.forms if values.keys() <= one.names and to in one.action)
        assert form.method == "post", form
        answer = self._session.post(urljoin(self.url, form.action), {**form.values, **values}, timeout=60)
        self._arrive(answer)

    def download(self, path: str) -> bytes:
        answer = self._session.get(urljoin(self.url, path), timeout=60)
        assert answer.ok, answer
        return answer.content

    def wait_for(self, path: str, words: str, seconds: float = 60.0) -> None:
        """Reload a page until it says `words`."""
        deadline = time.monotonic() + seconds
        while True:
            self.open(path)
            if re.search(words, self.page):
                return
            assert time.monotonic() < deadline, f"{path} never says {words!r}:\n{self.page}"
            time.sleep(0.2)

    def upload(self, name: str, data: bytes, *, to: str = "/api/1/uploads") -> str:
        """Send a file in pieces, as the page's script does (tus 1.0); the address of the upload."""
        headers = {"Tus-Resumable": "1.0.0", "X-CSRFToken": self.token}
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        answer = self._session.post(
            urljoin(self.address, to),
            headers={**headers, "Upload-Length": str(len(data)), "Upload-Metadata": metadata},
            timeout=30,
        )
        assert answer.status_code == requests.codes.created, answer.text
        place = urljoin(self.address, answer.headers["Location"])
        for offset in range(0, len(data), PIECE):
            piece = {**headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            answer = self._session.patch(place, data[offset : offset + PIECE], headers=piece, timeout=60)
            assert answer.status_code == requests.codes.no_content, answer.text
        return place

    def _arrive(self, answer: requests.Response) -> None:
        assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code}\n{answer.text}"
        self.url, self.page = answer.url, answer.text
