"""Somebody else's archive in front of a browser: whatever it says of itself, no page grows beyond the window."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import hostile
from tests.browser.chromium import NARROW, WIDE, page_of, too_wide
from tests.browser.conftest import Site, served, sign_in
from tests.factories import appliance_in
from tests.web.people import set_up

pytestmark = pytest.mark.browser


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with appliance_in(tmp_path / "elsewhere") as other:
        set_up(other)
        return hostile.archive(other)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_wizard_stays_in_the_window(fresh: Site, browser: Browser, archive: Path, size: tuple[int, int]) -> None:
    """A name of 20,000 letters made this page 368,171 pixels wide."""
    shutil.copy(archive, fresh.appliance.paths.backups)
    with page_of(browser, size) as page:
        page.goto(f"{fresh.address}/setup/restore")
        assert too_wide(page) <= 0
        page.locator("a[href*='/setup/restore/backup/']").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("A good backup of")
        assert too_wide(page) <= 0


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_list_and_the_restore_page_stay_in_the_window(
    browser: Browser, archive: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    with appliance_in(tmp_path) as appliance:
        set_up(appliance)
        shutil.copy(archive, appliance.paths.backups)
        with served(appliance) as address, page_of(browser, size) as page:
            sign_in(page, address)
            page.goto(f"{address}/settings/advanced/backups")
            assert too_wide(page) <= 0
            link = page.locator("a[href$='/restore']").first.get_attribute("href")
            page.goto(f"{address}{link}")
            expect(page.get_by_role("heading", level=1)).to_contain_text("A good backup of")
            assert too_wide(page) <= 0
