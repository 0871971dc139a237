"""The layouts and their parts in a real browser: accessible in every theme and accent, narrow, under our own policy."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from framerr.core.paths import static_folder
from framerr.web import headers, static
from framerr.web.shell import Banner, Shell, ShownPerson
from tests.browser.chromium import NARROW, WIDE, chromium, page_of, too_wide, violations
from tests.factories import NOW

TEMPLATES = Path(static.__file__).parent / "templates"
PAGES = Path(__file__).parent / "pages"
ERRORS = sorted(path.stem for path in (TEMPLATES / "errors").glob("[!_]*.html"))
SHOWN = [
    *(
        (name, dark, size)
        for name in ("list", "parts", "choice", "wizard")
        for dark in (False, True)
        for size in (WIDE, NARROW)
    ),
    *((f"error-{name}", dark, size) for name in ERRORS for dark, size in ((False, WIDE), (True, NARROW))),
]
LINKED = [
    *("home.index", "activity.index", "account.profile", "account.security", "auth.logout", "integrations.index"),
    *("customization.appearance", "customization.favicon", "customization.icons", "backups.index", "reset.index"),
]

SETTINGS = [
    *("Account", "Profile", "Security", "Integrations", "Customization", "Appearance", "Favicon", "Icons"),
    *("Advanced", "Backups", "Reset"),
]


@dataclass
class Gallery:
    """A server of made-up pages: where it listens, and how many forms it was sent."""

    address: str
    sent: list[str] = field(default_factory=list)


def make_gallery() -> tuple[Flask, list[str]]:
    """The product's templates, static files and headers, without an appliance behind them."""
    app = Flask("gallery", static_folder=None)
    app.jinja_env.undefined = StrictUndefined
    app.secret_key = "for flashed messages"
    app.jinja_loader = ChoiceLoader([FileSystemLoader(TEMPLATES), FileSystemLoader(PAGES)])
    app.jinja_env.globals["csrf_token"] = lambda: "token"
    app.jinja_env.filters["moment"] = lambda at, words=None: words or at.isoformat()
    for name in ("when", "day", "ago", "due", "exact"):
        app.jinja_env.filters[name] = str
    headers.install(app)
    static.install(app)
    app.context_processor(lambda: {"shell": make_shell(), "now": NOW})
    sent: list[str] = []
    app.add_url_rule("/show/<name>", "backups.show", show)
    app.add_url_rule("/progress", "progress", lambda: render_template("progress.html"))
    app.add_url_rule("/count", "count", lambda: take(sent), methods=["POST"])
    app.add_url_rule("/favicon.ico", "favicon", lambda: ("", 204))
    for endpoint in LINKED:
        app.add_url_rule(f"/linked/{endpoint}", endpoint, lambda: "")
    return app, sent


def make_shell() -> Shell:
    person = ShownPerson("A person with quite a long name", "AP", "", "administrator", is_administrator=True)
    banner = Banner("lost", "The key is missing.", "Nothing runs until it is back.", "/", "See what is affected")
    return Shell(
        instance_name="Studio server in the cellar of the old mill",
        theme=request.args.get("theme", "system"),
        accent=request.args.get("accent", "ink"),
        user=person,
        show_integrations=True,
        banners=[banner],
    )


def take(sent: list[str]) -> tuple[str, int]:
    """Receive a form and stay on its page, as a download does."""
    sent.append(request.form["csrf_token"])
    return "", 204


def show(name: str) -> str:
    template = f"errors/{name.removeprefix('error-')}.html" if name.startswith("error-") else f"{name}.html"
    return render_template(template, error_id="7f3k92qx")


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    app, sent = make_gallery()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Gallery(f"http://127.0.0.1:{server.server_port}", sent)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.mark.browser
@pytest.mark.parametrize(("name", "dark", "size"), SHOWN)
def test_every_part_is_accessible_and_fits(
    gallery: Gallery, browser: Browser, name: str, dark: bool, size: tuple[int, int]
) -> None:
    """Zero violations, no sideways scrolling at 360 px (ui.md, principle 4), nothing refused by the policy."""
    with page_of(browser, size, dark=dark) as page:
        page.goto(f"{gallery.address}/show/{name}")

        assert violations(page) == []
        assert too_wide(page) <= 0


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["ink", "teal", "plum", "slate"])
def test_every_accent_has_enough_contrast(gallery: Gallery, browser: Browser, accent: str, theme: str) -> None:
    """A chosen theme wins over the browser's, and each accent passes in both."""
    with page_of(browser, dark=theme == "light") as page:
        page.goto(f"{gallery.address}/show/parts?theme={theme}&accent={accent}")

        assert violations(page) == []
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == {"light": "rgb(244, 245, 244)", "dark": "rgb(18, 21, 20)"}[theme]


@pytest.mark.browser
def test_a_menu_closes_by_escape_and_by_a_click_elsewhere(gallery: Gallery, browser: Browser) -> None:
    """One menu at a time; Escape gives the focus back; the last row's menu opens upwards instead of leaving the window."""
    with page_of(browser) as page:
        page.goto(f"{gallery.address}/show/list")
        first, last = page.get_by_label("More for backup 0"), page.get_by_label("More for backup 6")
        first.click()
        expect(page.get_by_role("link", name="Delete…")).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        expect(first).to_be_focused()
        expect(page.locator("details[open]")).to_have_count(0)

        last.evaluate("button => button.scrollIntoView({block: 'end'})")
        last.click()
        expect(page.get_by_role("link", name="Delete…")).to_be_in_viewport(ratio=1)
        page.get_by_role("heading", level=1).click()
        expect(page.locator("details[open]")).to_have_count(0)


@pytest.mark.browser
def test_the_settings_sheet_reaches_every_page_when_narrow(gallery: Gallery, browser: Browser) -> None:
    """Below 720 px the sidebar is a bottom bar; Settings opens the whole tree."""
    with page_of(browser, NARROW) as page:
        page.goto(f"{gallery.address}/show/list")
        bar = page.get_by_role("navigation", name="Main, narrow")
        bar.get_by_text("Settings").click()

        assert bar.locator(".sheet a").all_inner_texts() == SETTINGS
        assert violations(page) == []
        assert too_wide(page) <= 0


@pytest.mark.browser
def test_progress_replaces_itself_until_the_run_has_ended(gallery: Gallery, browser: Browser) -> None:
    """htmx works under the policy without eval, and the ended run asks no more."""
    with page_of(browser) as page:
        page.goto(f"{gallery.address}/show/list")
        expect(page.locator(".run-percent")).to_have_text("62%")

        expect(page.locator(".run-percent")).to_have_text("100%", timeout=10_000)
        expect(page.locator("#run-1")).not_to_have_attribute("hx-get", re.compile(".*"))
        expect(page.locator("#run-1 [aria-live]")).to_have_text("The backup is made")


@pytest.mark.browser
def test_a_form_is_sent_once(gallery: Gallery, browser: Browser) -> None:
    """A double click on Create backup is one request, with the token."""
    gallery.sent.clear()
    with page_of(browser) as page:
        page.goto(f"{gallery.address}/show/list")
        with page.expect_response("**/count"):
            page.get_by_role("button", name="Create backup").dblclick()

        expect(page.get_by_role("button", name="Create backup")).to_have_attribute("aria-busy", "true")
    assert gallery.sent == ["token"]


@pytest.mark.browser
def test_a_password_can_be_looked_at(gallery: Gallery, browser: Browser) -> None:
    with page_of(browser) as page:
        page.goto(f"{gallery.address}/show/parts")
        field_, show_it = page.get_by_label("Password", exact=True), page.get_by_role("button", name="Show Password")
        field_.fill("correct horse")
        show_it.click()

        expect(field_).to_have_attribute("type", "text")
        expect(page.get_by_role("button", name="Hide Password")).to_have_attribute("aria-pressed", "true")


@pytest.mark.browser
def test_icons_are_drawn(gallery: Gallery, browser: Browser) -> None:
    """The sprite is a file of its own and still shows under the policy."""
    with page_of(browser) as page:
        with page.expect_response("**/sprite.svg"):
            page.goto(f"{gallery.address}/show/list")

        page.wait_for_load_state("networkidle")
        assert page.locator("svg.icon use").first.evaluate("icon => icon.getBoundingClientRect().width") > 8


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    """A name that the sprite lacks would be an empty hole."""
    sprite = (static_folder() / "vendor/lucide-1.62.0/sprite.svg").read_text()
    known = set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))
    calls = re.compile(r"""(?:\b(?:icon|glyph|seal|dot_mark|empty)\(\s*|\bicon=|\bicon or )'([a-z0-9-]+)'""")
    named = {name for path in TEMPLATES.rglob("*.html") for name in calls.findall(path.read_text())}

    assert len(named) > 10
    assert named - known == set()


def test_templates_hold_no_inline_style_script_or_handler() -> None:
    """The policy would refuse them silently (ui.md, safety in the page)."""
    forbidden = re.compile(r"""\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|hx-on|["']js:|hx-trigger="[^"]*\[""")
    found = {
        str(path.relative_to(TEMPLATES)): forbidden.findall(re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL))
        for path in TEMPLATES.rglob("*.html")
    }

    assert {name: hits for name, hits in found.items() if hits} == {}


def test_every_vendored_library_carries_its_licence_and_version() -> None:
    folders = list((static_folder() / "vendor").iterdir())

    assert folders
    for folder in folders:
        assert re.search(r"-\d+\.\d+\.\d+$", folder.name), folder
        assert "permission" in (folder / "LICENSE").read_text().lower()
