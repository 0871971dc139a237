"""From one instance to another, and back in time, in a real browser over the real process and its restart."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from framerr.accounts import users
from framerr.appliance import Appliance
from framerr.backups.create import create_backup
from framerr.backups.models import Backup
from framerr.core.clock import utcnow
from framerr.jobs.progress import Progress
from tests.browser.chromium import NARROW, WIDE, too_wide, violations
from tests.browser.conftest import sign_in
from tests.factories import appliance_in
from tests.processes import Served
from tests.web.filled import fill
from tests.web.people import PASSWORD, set_up

pytestmark = pytest.mark.browser
# What the browser itself reports while the appliance restarts, the old session is refused once, or a form is wrong.
_RESTART = re.compile(r"Failed to load resource: (net::ERR|the server responded with a status of (401|404|422|503))")
RESTART = 60_000


@contextmanager
def across_a_restart(browser: Browser, size: tuple[int, int] = WIDE, *, dark: bool = False) -> Iterator[Page]:
    """A page that may see the server go away and come back, and nothing else go wrong."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not _RESTART.match(message.text):
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page
        assert said == []
    finally:
        context.close()


def back_up(appliance: Appliance) -> Backup:
    return create_backup(appliance.db, appliance.paths, appliance.key, type="manual", progress=Progress(), now=utcnow())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A backup of an instance that was used for a while, made with another key."""
    with appliance_in(tmp_path / "elsewhere") as appliance:
        set_up(appliance)
        fill(appliance)
        made = back_up(appliance)
        copy = tmp_path / made.name
        copy.write_bytes((appliance.paths.backups / made.name).read_bytes())
        return copy


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_an_empty_instance_is_brought_back_from_a_file(
    browser: Browser, archive: Path, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    """R-002-27, R-002-30, R-002-31: the wizard's Restore from Backup, another key, then the login of the backup."""
    key = secrets.token_hex(32)
    folder = tmp_path / "config"
    with Served(folder, SECRET_ENCRYPTION_KEY=key, FRAMERR_SETUP_CODE="ABCD-2345") as served:
        address = f"http://127.0.0.1:{served.port}"
        with across_a_restart(browser, size, dark=dark) as page:
            page.goto(address)
            page.get_by_label("Setup code").fill("abcd-2345")
            page.get_by_role("button", name="Continue").click()
            page.get_by_role("link", name="Restore from Backup").click()
            assert violations(page) == []
            assert too_wide(page) <= 0
            page.locator('input[type="file"]').set_input_files(archive)
            expect(page.get_by_role("heading", name="A good backup of “Studio server”")).to_be_visible(timeout=20_000)
            expect(page.get_by_role("region", name="Comes back")).to_contain_text("1 user")
            expect(page.get_by_role("region", name="Starts empty")).to_contain_text("Sessions")
            assert violations(page) == []
            assert too_wide(page) <= 0

            page.get_by_role("button", name="Restore this backup").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Restoring")
            assert violations(page) == []
            page.wait_for_url("**/login", timeout=RESTART)

            expect(page.get_by_role("status")).to_contain_text("Restored. Sign in with an account from the backup.")
            assert violations(page) == []
            sign_in(page, address)
            expect(page.get_by_role("heading", level=1)).to_have_text("Is everything safe?")
            page.goto(f"{address}/setup/")
            assert page.url == f"{address}/"


def test_a_running_instance_goes_back_in_time(browser: Browser, tmp_path: Path) -> None:
    """Settings → Advanced → Backups → Restore: what is inside, the password again, the restart, the login."""
    with appliance_in(tmp_path) as appliance:
        set_up(appliance)
        made = back_up(appliance)
        with appliance.db.writing() as session:
            users.create_user(session, username="late", password=PASSWORD, display_name="", role="viewer", now=utcnow())
    with Served(tmp_path / "config") as served:
        address = f"http://127.0.0.1:{served.port}"
        with across_a_restart(browser) as page:
            sign_in(page, address)
            page.goto(f"{address}/settings/advanced/backups")
            page.locator(f"#backup-{made.uid}").get_by_label(re.compile("More for")).click()
            page.get_by_role("link", name="Restore…").click()
            expect(page.get_by_role("heading", level=1)).to_contain_text("A good backup of “Studio server”")
            expect(page.get_by_role("link", name="Keep what is here")).to_be_focused()
            assert violations(page) == []
            page.get_by_label("Your password").fill("not the pass phrase")
            page.get_by_role("button", name="Restore this backup").click()
            expect(page.get_by_text("This is not your password. Try again.")).to_be_visible()
            page.get_by_label("Your password").fill(PASSWORD)
            page.get_by_role("button", name="Restore this backup").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Restoring")
            page.wait_for_url("**/login", timeout=RESTART)
            expect(page.get_by_role("status")).to_contain_text("Restored.")
            sign_in(page, address)
            page.goto(f"{address}/settings/advanced/backups")
            expect(page.get_by_role("row").filter(has_text="Safety")).to_contain_text("Never deleted automatically")
        served.stop()
    with appliance_in(tmp_path) as appliance, appliance.db.reading() as session:
        assert users.find_by_username(session, "late") is None


@pytest.mark.parametrize("what", ["a picture", "a damaged backup"])
def test_what_is_no_backup_is_refused_in_a_sentence(browser: Browser, archive: Path, tmp_path: Path, what: str) -> None:
    """Nothing is changed by looking, and another file may be chosen."""
    bad = tmp_path / "holiday.zip"
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    bad.write_bytes(b"\x89PNG and more" if what == "a picture" else bytes(data))
    with Served(tmp_path / "config") as served, across_a_restart(browser) as page:
        page.goto(f"http://127.0.0.1:{served.port}/setup/restore")
        page.locator('input[type="file"]').set_input_files(bad)
        expect(page.get_by_role("heading", level=1)).to_have_text("This cannot be restored", timeout=20_000)

        expected = "This is a picture." if what == "a picture" else re.compile("Use another backup|copy this one again")
        expect(page.get_by_role("alert")).to_contain_text(expected)
        expect(page.get_by_role("button", name="Restore this backup")).to_have_count(0)
        assert violations(page) == []
        page.get_by_role("link", name="Choose another").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Which backup?")
