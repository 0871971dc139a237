"""A running appliance and a browser in front of it.

`site` is an instance that alice set up and used for a while, with its workers; `fresh` one that nobody set up.
`page_light`, `page_dark` and `narrow` are alice's signed-in pages of `site`; `axe(page)` fails with what is wrong.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from framerr import tasks
from framerr.appliance import Appliance
from framerr.jobs.runner import Runner
from framerr.server.http import HttpServer
from framerr.web import create_app
from tests.browser.chromium import NARROW, WIDE, chromium, page_of, too_wide, violations
from tests.factories import appliance_in
from tests.web.filled import fill
from tests.web.people import PASSWORD, set_up


@dataclass(frozen=True)
class Site:
    """A running appliance: its address, its parts, and the cookies of whoever signed in."""

    address: str
    appliance: Appliance
    cookies: list[Any]

    @contextmanager
    def page(
        self, browser: Browser, size: tuple[int, int] = WIDE, *, dark: bool = False, script: bool = True
    ) -> Iterator[Page]:
        """A page of the signed-in person; console errors, refused styles and scripts fail at the end."""
        with page_of(browser, size, dark=dark, script=script) as page:
            page.context.add_cookies(self.cookies)
            yield page


@contextmanager
def served(appliance: Appliance) -> Iterator[str]:
    """The appliance behind a real server, with workers for what pages queue; its address."""
    runner = Runner(appliance.db, tasks.table(appliance), on_outcome=tasks.on_outcome)
    appliance.lifecycle.on_wake(runner.wake)
    server = HttpServer(create_app(appliance), socket.create_server(("127.0.0.1", 0)))
    runner.start()
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        runner.stop(5)
        server.stop(2)


def sign_in(page: Page, address: str) -> None:
    """As a person does it."""
    page.goto(f"{address}/login")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with appliance_in(tmp_path_factory.mktemp("site")) as appliance:
        set_up(appliance)
        fill(appliance)
        with served(appliance) as address:
            with page_of(browser) as page:
                sign_in(page, address)
                cookies = list(page.context.cookies())
            yield Site(address, appliance, cookies)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Site]:
    with appliance_in(tmp_path) as appliance, served(appliance) as address:
        yield Site(address, appliance, [])


@pytest.fixture
def page_light(site: Site, browser: Browser) -> Iterator[Page]:
    with site.page(browser) as page:
        yield page


@pytest.fixture
def page_dark(site: Site, browser: Browser) -> Iterator[Page]:
    with site.page(browser, dark=True) as page:
        yield page


@pytest.fixture
def narrow(site: Site, browser: Browser) -> Iterator[Page]:
    with site.page(browser, NARROW) as page:
        yield page


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Zero violations and no sideways scrolling (ui.md, principle 4)."""

    def check(page: Page) -> None:
        assert violations(page) == []
        assert too_wide(page) <= 0

    return check
