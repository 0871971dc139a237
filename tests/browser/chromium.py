"""Debian's Chromium for tests: where it is, how it starts here, and what every page must be: accessible and not too wide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

PATH = "/usr/bin/chromium"
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]
WIDE = (1280, 800)
NARROW = (360, 740)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that is closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(
    browser: Browser, size: tuple[int, int] = WIDE, *, dark: bool = False, script: bool = True
) -> Iterator[Page]:
    """A page in a context of its own. Fails at the end when it reported an error; a refused inline style is one."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page
        assert said == []
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now: rule, element, reason."""
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in Axe().run(page).response["violations"]
        for node in found["nodes"]
    ]


def too_wide(page: Page) -> int:
    """By how many pixels the page would have to be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
