"""Signing in and out in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import NARROW, WIDE, page_of
from tests.browser.conftest import Site, sign_in
from tests.web.people import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("dark", "size"), [(False, WIDE), (True, WIDE), (False, NARROW), (True, NARROW)])
def test_the_login_is_accessible_and_fits(
    site: Site, browser: Browser, axe: Callable[[Page], None], dark: bool, size: tuple[int, int]
) -> None:
    """Both themes, narrow too; the first field has the focus."""
    with page_of(browser, size, dark=dark) as page:
        page.goto(f"{site.address}/login")
        expect(page.get_by_label("User name")).to_be_focused()
        axe(page)


@pytest.mark.parametrize("script", [True, False])
def test_a_person_signs_in_and_out(site: Site, browser: Browser, script: bool) -> None:
    """With the keyboard, and also without JavaScript (ui.md, principle 6)."""
    with page_of(browser, script=script) as page:
        sign_in(page, site.address)
        expect(page.get_by_role("heading", level=1)).to_have_text("Is everything safe?")
        page.locator("summary.person").click()
        page.locator(".side").get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out.")).to_be_visible()
        page.goto(f"{site.address}/activity")
        expect(page).to_have_url(f"{site.address}/login?next=/activity")


def test_a_wrong_password_keeps_the_name(site: Site, browser: Browser, axe: Callable[[Page], None]) -> None:
    """The sentence is read out, the name stays, the cursor waits in the password."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.address}/login")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The user name or the password is not right.")
    expect(page.get_by_label("User name")).to_have_value("alice")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    axe(page)
    context.close()


def test_the_page_that_was_asked_for_comes_after_signing_in(site: Site, browser: Browser) -> None:
    """Through the login and back."""
    with page_of(browser) as page:
        page.goto(f"{site.address}/settings/customization/icons")
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Icons")


def test_a_session_that_ended_elsewhere_leads_to_the_login_from_a_live_page(site: Site, browser: Browser) -> None:
    """The next poll of an open page goes to the login as a whole page, not into the list."""
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, site.address)
    page.clock.install()
    page.goto(f"{site.address}/activity")
    context.clear_cookies()
    page.clock.run_for(3100)
    expect(page).to_have_url(f"{site.address}/login?next=/activity")
    context.close()
