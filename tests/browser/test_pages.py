"""Every page of the signed-in person in a real browser: accessible in both themes, narrow, live, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from framerr.core.clock import utcnow
from framerr.jobs import queue
from framerr.jobs.models import Run
from tests.browser.chromium import NARROW, WIDE
from tests.browser.conftest import Site
from tests.web.filled import add_run
from tests.web.people import PASSWORD

pytestmark = pytest.mark.browser
POLL = 3100  # milliseconds of the page's own clock, a little more than it waits between two looks
LOOKS = [(False, WIDE), (True, WIDE), (False, NARROW), (True, NARROW)]
PAGES = [
    *("/", "/activity", "/settings/account/profile", "/settings/account/security", "/settings/integrations"),
    *("/settings/customization/appearance", "/settings/customization/favicon", "/settings/customization/icons"),
    "/settings/advanced/reset",
]


@pytest.mark.parametrize(("dark", "size"), LOOKS)
def test_every_page_is_accessible_and_fits(
    site: Site, browser: Browser, axe: Callable[[Page], None], dark: bool, size: tuple[int, int]
) -> None:
    """Zero violations in both themes, no sideways scrolling at 360 px, nothing refused by the policy."""
    with site.page(browser, size, dark=dark) as page:
        for path in PAGES:
            page.goto(site.address + path)
            axe(page)


@pytest.mark.parametrize(("dark", "size"), LOOKS)
def test_the_pages_of_single_things_too(
    site: Site, browser: Browser, axe: Callable[[Page], None], dark: bool, size: tuple[int, int]
) -> None:
    """An icon, a credential, runs that ended in every way and one that runs, an error page."""
    with site.appliance.db.writing() as session:
        uids = [run.uid for run in queue.recent(session)]
        running = add_run(
            session, state="running", finished_at=None, stage="Writing files", done=3, total=9, unit="files"
        )
        uids.append(running.uid)
    with site.page(browser, size, dark=dark) as page:
        page.goto(f"{site.address}/settings/customization/icons")
        addresses = [page.locator(".tile a").first.get_attribute("href")]
        page.goto(f"{site.address}/settings/integrations")
        addresses.append(page.locator(".row-actions a").first.get_attribute("href"))
        addresses += [f"/activity/{uid}" for uid in uids] + ["/", "/activity"]
        for address in addresses:
            page.goto(f"{site.address}{address}")
            axe(page)
    _end(site, running.uid)


def test_a_form_that_failed_shows_where_and_stays_accessible(
    site: Site, browser: Browser, axe: Callable[[Page], None]
) -> None:
    """The summary has the focus and leads to the field."""
    context = browser.new_context()  # a 422 is an error in the console, so no page that fails for one
    context.add_cookies(site.cookies)
    page = context.new_page()
    page.goto(f"{site.address}/settings/account/security")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("short enough")
    page.get_by_label("New password again").fill("something else")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_be_focused()
    axe(page)
    page.get_by_role("link", name="The two new passwords differ").click()
    expect(page.get_by_label("New password again")).to_be_focused()
    context.close()


def test_the_list_keeps_itself_current(page_light: Page, site: Site) -> None:
    """A run that begins, moves on and ends is seen without a reload, and the focus stays where it is."""
    page = page_light
    page.clock.install()
    page.goto(f"{site.address}/activity")
    page.get_by_role("link", name="Settings").first.focus()
    with site.appliance.db.writing() as session:
        run = add_run(session, state="running", finished_at=None, stage="Writing files", done=3, total=9, unit="files")
    progress = page.locator(f"#run-{run.uid}")
    page.clock.run_for(POLL)
    expect(progress.locator(".run-percent")).to_have_text("33%")
    with site.appliance.db.writing() as session:
        queue.get(session, run.uid).done = 6
    page.clock.run_for(POLL)
    expect(progress.locator(".run-percent")).to_have_text("66%")
    _end(site, run.uid)
    page.clock.run_for(POLL)
    expect(progress).to_have_count(0)
    expect(page.locator(f"#earlier-{run.uid}")).to_contain_text("Done")
    expect(page.get_by_role("link", name="Settings").first).to_be_focused()


def test_a_run_page_follows_its_run_and_then_rests(page_light: Page, site: Site) -> None:
    """Once the run has ended the page asks no more."""
    with site.appliance.db.writing() as session:
        run = add_run(session, state="running", finished_at=None, stage="Writing files", done=3, total=9, unit="files")
    page = page_light
    page.clock.install()
    page.goto(f"{site.address}/activity/{run.uid}")
    expect(page.locator(".run-percent")).to_have_text("33%")
    _end(site, run.uid)
    page.clock.run_for(POLL)
    expect(page.get_by_text("It took")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(10 * POLL)
    page.goto(f"{site.address}/activity")
    assert [url for url in asked if run.uid in url] == []


def test_a_cancelled_run_is_asked_to_stop(page_light: Page, site: Site) -> None:
    """From its page, with a sentence that says so."""
    with site.appliance.db.writing() as session:
        run = add_run(session, state="running", finished_at=None, stage="Writing files")
    page_light.goto(f"{site.address}/activity/{run.uid}")
    page_light.get_by_role("button", name="Cancel").click()
    expect(page_light.get_by_text("Backup stops at its next safe point.")).to_be_visible()
    expect(page_light.get_by_text("Stops at the next safe point.")).to_be_visible()
    _end(site, run.uid)


def test_a_backup_is_made_from_the_activity_page_without_javascript(site: Site, browser: Browser) -> None:
    """Plain forms and links do it (ui.md, principle 6)."""
    with site.page(browser, script=False) as page:
        page.goto(f"{site.address}/activity")
        page.get_by_role("button", name="Create backup").click()
        page.wait_for_url("**/activity/*")
        for _ in range(100):
            page.reload()
            if page.get_by_text("It took").count():
                break
        expect(page.get_by_text("It took")).to_be_visible()


def test_a_picture_is_chosen_and_shown(page_light: Page, site: Site) -> None:
    """The name of the file stands in the zone, then the picture in the sidebar."""
    page = page_light
    page.goto(f"{site.address}/settings/account/profile")
    icon = next(site.appliance.paths.custom_icons.iterdir())
    page.get_by_label("Choose a picture, or drop it here").set_input_files(icon)
    expect(page.get_by_text(icon.name)).to_be_visible()
    page.get_by_role("button", name="Save picture").click()
    expect(page.get_by_text("Your picture is saved.")).to_be_visible()
    assert page.locator(".side img.avatar").evaluate("picture => picture.naturalWidth") > 0
    page.get_by_role("button", name="Remove picture").click()
    expect(page.locator(".side img.avatar")).to_have_count(0)


def test_the_time_zone_is_found_by_typing(page_light: Page, site: Site) -> None:
    """The list offers every zone; saving tells the new time."""
    page = page_light
    page.goto(f"{site.address}/settings/customization/appearance")
    assert page.locator("datalist option").count() > 400
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_role("button", name="Save appearance").click()
    expect(page.get_by_text("(America/New_York)")).to_be_visible()
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Save appearance").click()
    expect(page.get_by_text("(Europe/Berlin)")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(page_light: Page, site: Site) -> None:
    """Skip link, then the main landmark."""
    page_light.goto(site.address)
    page_light.keyboard.press("Tab")
    expect(page_light.get_by_role("link", name="Skip to the content")).to_be_focused()
    page_light.keyboard.press("Enter")
    expect(page_light.locator("#main")).to_be_focused()


def _end(site: Site, uid: str) -> None:
    with site.appliance.db.writing() as session:
        run: Run = queue.get(session, uid)
        run.state, run.finished_at = "done", utcnow()
