"""The Backups page in a real browser: live, accessible, narrow, resumable, and without JavaScript."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from framerr.backups.create import create_backup
from framerr.core.clock import utcnow
from framerr.jobs.progress import Progress
from framerr.settings import icons
from tests.browser.chromium import NARROW, WIDE, page_of, too_wide, violations
from tests.browser.conftest import Site, served, sign_in
from tests.factories import appliance_in
from tests.pictures import picture
from tests.processes import until
from tests.web.people import set_up

pytestmark = pytest.mark.browser
PAGE = "/settings/advanced/backups"
MEGABYTES = 30


@pytest.fixture
def used(browser: Browser, tmp_path: Path) -> Iterator[Site]:
    """An instance of alice's, signed in, without backups so far."""
    with appliance_in(tmp_path) as appliance:
        set_up(appliance)
        with served(appliance) as address:
            with page_of(browser) as page:
                sign_in(page, address)
                cookies = list(page.context.cookies())
            yield Site(address, appliance, cookies)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A backup of several pieces, of another instance."""
    with appliance_in(tmp_path / "elsewhere") as other:
        set_up(other)
        noise = random.Random(7).randbytes(MEGABYTES * 1_000_000)
        icon = icons.add_icon(other.db, other.paths, "Large", picture(colour="teal"), utcnow())
        (other.paths.custom_icons / icon.file).write_bytes(noise)
        made = create_backup(other.db, other.paths, other.key, type="manual", progress=Progress(), now=utcnow())
        target = tmp_path / "from-the-old-server.zip"
        target.write_bytes((other.paths.backups / made.name).read_bytes())
        return target


@contextmanager
def page_of_with_refusals(site: Site, browser: Browser) -> Iterator[Page]:
    """A page whose requests are refused on purpose, which the browser reports as errors."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    context.add_cookies(site.cookies)
    broken: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: broken.append(str(error)))
    try:
        yield page
        assert broken == []
    finally:
        context.close()


def check(page: Page) -> None:
    assert violations(page) == []
    assert too_wide(page) <= 0


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (WIDE, True), (NARROW, False), (NARROW, True)])
def test_every_page_of_it_is_accessible_and_fits(
    site: Site, browser: Browser, size: tuple[int, int], dark: bool
) -> None:
    """Zero violations, no sideways scrolling, in both themes: the list with its menu, and every question."""
    with site.page(browser, size, dark=dark) as page:
        page.goto(f"{site.address}{PAGE}")
        check(page)
        page.get_by_label(re.compile("^More for")).first.click()
        check(page)
        links = page.locator(".row-actions .menu-item[href]")
        addresses = {str(links.nth(number).get_attribute("href")) for number in range(links.count())}
        assert len(addresses) >= 6
        for address in sorted(addresses | {f"{PAGE}/upload"}):
            page.goto(f"{site.address}{address}")
            if address.endswith("/restore"):
                expect(page.get_by_role("heading", level=1)).to_contain_text("A good backup of")
            check(page)


def test_a_backup_is_made_before_ones_eyes(used: Site, browser: Browser, tmp_path: Path) -> None:
    """R-002-35: create with live progress, download and open it, delete it after a question."""
    with used.page(browser) as page:
        page.goto(f"{used.address}{PAGE}")
        expect(page.locator(".answer")).to_contain_text("There is no good backup yet.")
        page.get_by_role("button", name="Create backup").click()
        expect(page.locator(".answer")).to_contain_text("Last good backup today", timeout=20_000)
        expect(page.get_by_role("table")).to_contain_text("Verified")
        expect(page.locator("progress")).to_have_count(0)
        check(page)

        with page.expect_download() as waiting:
            page.get_by_role("link", name=re.compile("^Download")).click()
        target = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(target)
        with zipfile.ZipFile(target) as archive:
            assert archive.testzip() is None
            assert archive.namelist()[-1] == "manifest.json"
            assert "framerr.db" in archive.namelist()

        page.get_by_label(re.compile("^More for")).click()
        page.get_by_role("link", name="Delete…").click()
        expect(page.get_by_role("link", name="Keep it")).to_be_focused()
        page.get_by_role("button", name="Delete this backup").click()
        expect(page.get_by_role("status").first).to_contain_text("is deleted.")
        expect(page.get_by_text("No backup yet")).to_be_visible()


def test_the_schedule_is_changed(used: Site, browser: Browser) -> None:
    """R-002-6 to R-002-9: the day is asked for when it is weekly; the next due time follows what is chosen."""
    with used.page(browser) as page:
        page.goto(f"{used.address}{PAGE}")
        card = page.locator("#schedule")
        hours = card.get_by_label("Hour").locator("option").all_inner_texts()
        assert (len(hours), hours[0], hours[-1]) == (24, "12:00\u00a0AM", "11:00\u00a0PM")
        expect(card.get_by_label("Day (weekly)")).to_be_hidden()
        card.get_by_label("Weekly", exact=True).check(force=True)
        card.get_by_label("Day (weekly)").select_option("Wednesday")
        card.get_by_label("Hour").select_option("23")
        expect(card.locator("#next-backup")).to_contain_text(re.compile(r"Wednesday.*11:00\sPM \(Europe/Berlin\)"))
        card.get_by_role("button", name="Save schedule").click()

        expect(page.get_by_role("status").first).to_contain_text("The schedule is saved. Next: ")
        expect(card.get_by_label("Day (weekly)")).to_have_value("3")
        card.get_by_label("Off", exact=True).check(force=True)
        expect(card.locator("#next-backup")).to_contain_text("No backup is made by itself.")
        expect(card.get_by_label("Day (weekly)")).to_be_hidden()


# A piece that is cut off leaves its temporary file to the garbage collector: waitress does not close it itself.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_an_upload_goes_on_after_a_reload(used: Site, browser: Browser, large: Path) -> None:
    """Cut off after two pieces, reloaded, the same file chosen again: what was sent is not sent once more."""
    sent: list[int] = []
    with used.page(browser) as page:
        page.goto(f"{used.address}{PAGE}/upload")

        def cut(route: Route) -> None:
            offset = int(route.request.headers.get("upload-offset", "-1"))
            sent.append(offset)
            if len([one for one in sent if one > 0]) == 2:
                return  # never answered: the page is left meanwhile
            route.continue_()

        page.route(
            "**/api/1/uploads/*", lambda route: cut(route) if route.request.method == "PATCH" else route.continue_()
        )
        page.locator('input[type="file"]').set_input_files(large)
        expect(page.locator(".run-percent")).to_have_text(re.compile("[4-6][0-9]%"), timeout=20_000)
        check(page)
        page.wait_for_function("localStorage.length > 0")
        page.unroute_all(behavior="ignoreErrors")
        page.goto(f"{used.address}{PAGE}/upload")
        sent.clear()
        page.on(
            "request",
            lambda request: (
                sent.append(int(request.headers.get("upload-offset", "-1"))) if request.method == "PATCH" else None
            ),
        )
        page.locator('input[type="file"]').set_input_files(large)
        page.wait_for_url(f"{used.address}{PAGE}", timeout=30_000)

        expect(page.get_by_role("table")).to_contain_text("From another instance, “Studio server”", timeout=20_000)
        assert sent[0] >= 8 * 1024 * 1024
        check(page)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_an_upload_is_paused_and_cancelled(used: Site, browser: Browser, large: Path) -> None:
    """Pause keeps what arrived, Go on continues, Cancel removes it all."""
    with used.page(browser) as page:
        page.goto(f"{used.address}{PAGE}/upload")
        hold: list[Route] = []
        page.route(
            "**/api/1/uploads/*",
            lambda route: (
                hold.append(route) if int(route.request.headers.get("upload-offset", "0")) else route.continue_()
            ),
        )
        page.locator('input[type="file"]').set_input_files(large)
        expect(page.locator(".run-percent")).to_have_text(re.compile("[2-9][0-9]%"), timeout=20_000)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".run-note")).to_contain_text("Paused.")
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        check(page)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Choose a backup, or drop it here")).to_be_visible()
        until(lambda: not list(used.appliance.paths.uploads.iterdir()), "the upload is removed")


def test_an_upload_cancelled_before_the_first_answer_leaves_nothing(used: Site, browser: Browser, large: Path) -> None:
    """What the server announces afterwards is removed as soon as its address is known, and another file may be sent."""
    held: list[Route] = []
    with used.page(browser) as page:
        page.goto(f"{used.address}{PAGE}/upload")
        page.route("**/api/1/uploads", lambda route: held.append(route))  # noqa: PLW0108 - the driver sets attributes on what it calls
        page.locator('input[type="file"]').set_input_files(large)
        until(lambda: bool(held) or bool(page.wait_for_timeout(20)), "the file is announced")
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Choose a backup, or drop it here")).to_be_visible()
        with page.expect_response(lambda answer: answer.request.method == "DELETE") as removed:
            held[0].continue_()
        assert removed.value.status == 204
        assert list(used.appliance.paths.uploads.iterdir()) == []
        expect(page.get_by_text("Choose a backup, or drop it here")).to_be_visible()
        assert page.evaluate("localStorage.length") == 0

        page.unroute_all()
        page.locator('input[type="file"]').set_input_files(large)
        page.wait_for_url(f"{used.address}{PAGE}", timeout=30_000)


def test_smaller_pieces_are_sent_where_something_refuses_large_ones(used: Site, browser: Browser, large: Path) -> None:
    """A proxy that answers 413 in its own words: 900 kB at a time gets through."""
    lengths: list[int] = []

    def proxy(route: Route) -> None:
        length = len(route.request.post_data_buffer or b"")
        if route.request.method == "PATCH" and length > 1_000_000:
            route.fulfill(status=413, body="<html>Request Entity Too Large</html>")
            return
        lengths.append(length)
        route.continue_()

    with page_of_with_refusals(used, browser) as page:
        page.route("**/api/1/uploads/*", proxy)
        page.goto(f"{used.address}{PAGE}/upload")
        page.locator('input[type="file"]').set_input_files(large)
        page.wait_for_url(f"{used.address}{PAGE}", timeout=60_000)
    assert max(lengths) == 900_000


@pytest.mark.parametrize("kind", ["empty", "away"])
def test_what_goes_wrong_with_an_upload_is_a_sentence(used: Site, browser: Browser, tmp_path: Path, kind: str) -> None:
    """In words, spoken, with the zone ready for another try or a way to go on."""
    file = tmp_path / "some.zip"
    file.write_bytes(b"" if kind == "empty" else b"PK" * 1000)
    with page_of_with_refusals(used, browser) as page:
        page.goto(f"{used.address}{PAGE}/upload")
        if kind == "away":
            page.clock.install()
            page.route("**/api/1/uploads**", lambda route: route.abort())
        page.locator('input[type="file"]').set_input_files(file)
        if kind == "away":
            for _ in range(8):
                page.clock.run_for(25_000)
                page.wait_for_timeout(50)
        expected = "The file is empty. Choose a backup ZIP." if kind == "empty" else "The connection broke."
        expect(page.get_by_role("alert")).to_contain_text(expected, timeout=20_000)
        check(page)


def test_making_and_fetching_a_backup_work_without_javascript(used: Site, browser: Browser) -> None:
    """ui.md, principle 6: plain forms and links."""
    with used.page(browser, script=False) as page:
        page.goto(f"{used.address}{PAGE}")
        page.get_by_role("button", name="Create backup").click()
        for _ in range(40):
            page.goto(f"{used.address}{PAGE}")
            if page.get_by_role("link", name=re.compile("^Download")).count():
                break
            page.wait_for_timeout(100)
        with page.expect_download() as waiting:
            page.get_by_role("link", name=re.compile("^Download")).click()
        assert waiting.value.suggested_filename.startswith("framerr-manual-")
        page.goto(f"{used.address}{PAGE}/upload")
        expect(page.get_by_text("framerr restore FILE")).to_be_visible()
        page.goto(f"{used.address}{PAGE}")
        page.get_by_label("Weekly", exact=True).check(force=True)
        page.get_by_label("Day (weekly)").select_option("Friday")
        page.get_by_role("button", name="Save schedule").click()
        expect(page.get_by_role("status").first).to_contain_text("The schedule is saved.")
        page.get_by_label(re.compile("^More for")).click()
        page.get_by_role("link", name="Delete…").click()
        page.get_by_role("button", name="Delete this backup").click()
        expect(page.get_by_text("No backup yet")).to_be_visible()
