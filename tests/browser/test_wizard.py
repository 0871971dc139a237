"""The first minutes in a real browser: the wizard's first way, from the code to the dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from framerr.jobs import schedules
from framerr.jobs.calendar import Rule
from framerr.settings import store
from tests.browser.chromium import NARROW, WIDE, page_of, too_wide, violations
from tests.browser.conftest import Site, served
from tests.factories import appliance_in
from tests.web.people import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    """An instance that nobody set up and that asks for its code."""
    with appliance_in(tmp_path, FRAMERR_SETUP_CODE="ABCD-2345") as appliance, served(appliance) as address:
        yield Site(address, appliance, [])


def check(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert violations(page) == []
    assert too_wide(page) <= 0


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (WIDE, True), (NARROW, False), (NARROW, True)])
def test_start_fresh_leads_inside(guarded: Site, browser: Browser, size: tuple[int, int], dark: bool) -> None:
    """R-002-29: every step accessible, in both themes, at 360 px, under the policy; signed in at the end."""
    with page_of(browser, size, dark=dark) as page:
        page.goto(guarded.address)
        check(page, "Welcome. Whose appliance is this?")
        expect(page.get_by_label("Setup code")).to_be_focused()
        page.keyboard.type("abcd-2345")
        page.keyboard.press("Enter")
        check(page, "How do you want to start?")
        assert page.locator(".choice").count() == 2
        page.get_by_role("link", name="Start Fresh").click()
        check(page, "Your administrator account")
        page.get_by_label("User name").fill("olga")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Show Password").click()
        expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
        page.get_by_role("button", name="Continue").click()
        check(page, "Name and time zone")
        page.get_by_label("Instance name").fill("Harbor")
        page.get_by_label("Time zone").select_option("Europe/Berlin")
        page.get_by_role("button", name="Continue").click()
        check(page, "When to back up")
        expect(page.get_by_label("Daily")).to_be_checked()
        expect(page.get_by_label("Hour")).to_have_value("4")
        expect(page.get_by_label("Max backups")).to_have_value("7")
        expect(page.get_by_label("Day (weekly)")).to_be_hidden()
        page.get_by_label("Weekly", exact=True).check(force=True)
        page.get_by_label("Day (weekly)").select_option("Saturday")
        expect(page.get_by_role("status")).to_contain_text("Saturday")
        check(page, "When to back up")
        page.get_by_role("button", name="Finish").click()
        page.wait_for_url(f"{guarded.address}/")
        expect(page.get_by_role("status")).to_contain_text("Harbor is set up. The first backup is ")

    with guarded.appliance.db.reading() as session:
        found = schedules.get(session, "backup")
        assert found is not None
        assert (found.rule, store.read(session).instance_name) == (Rule("weekly", 4, 6), "Harbor")


def test_back_is_always_there(fresh: Site, browser: Browser) -> None:
    """From the last step to the first, with everything that was typed but the password."""
    with page_of(browser) as page:
        page.goto(f"{fresh.address}/setup/account")
        page.get_by_label("User name").fill("olga")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Instance name").fill("Harbor")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("link", name="Back").click()
        expect(page.get_by_label("Instance name")).to_have_value("Harbor")
        page.get_by_role("link", name="Back").click()
        expect(page.get_by_label("User name")).to_have_value("olga")
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
        page.get_by_role("link", name="Back").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("How do you want to start?")


def test_the_browsers_time_zone_is_the_guess(fresh: Site, browser: Browser) -> None:
    """When the server was not told one."""
    context = browser.new_context(timezone_id="Australia/Lord_Howe")
    page = context.new_page()
    page.goto(f"{fresh.address}/setup/account")
    page.get_by_label("User name").fill("olga")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Time zone")).to_have_value("Australia/Lord_Howe")
    context.close()


def test_start_fresh_works_without_javascript(fresh: Site, browser: Browser) -> None:
    """Plain forms and links all the way; what needs a script says how else it is done."""
    with page_of(browser, script=False) as page:
        page.goto(fresh.address)
        page.get_by_role("link", name="Restore from Backup").click()
        expect(page.get_by_text("framerr restore FILE")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        page.get_by_role("link", name="Start Fresh").click()
        page.get_by_label("User name").fill("olga")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_label("Day (weekly)")).to_be_visible()
        page.get_by_role("button", name="Finish").click()
        expect(page).to_have_url(f"{fresh.address}/")
