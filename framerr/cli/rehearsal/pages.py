"""What a person does on the pages: the wizard, pictures, a backup and its download, a restore."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path

from framerr.cli.rehearsal.browser import Browser
from framerr.cli.rehearsal.sample import GREEN, NIGHT, ORANGE, VIOLET, picture
from framerr.core.errors import Conflict, Unavailable
from framerr.core.paths import Paths

OK = 200
PIECE = 8 << 20
PATIENCE = 60.0
LOOK_EVERY = 0.1
BACKUPS = "/settings/advanced/backups"
_DOWNLOAD = re.compile(rf'href="({BACKUPS}/[^"/]+/download)"')
_NAME = re.compile(r'filename="?([A-Za-z0-9.-]+)')


def start_fresh(browser: Browser, paths: Paths, username: str, password: str) -> None:
    """The wizard's first way. Raises Conflict when it does not lead inside."""
    _give_code(browser, paths)
    browser.go("/setup/account")
    browser.submit(username=username, display_name="Ada Example", password=password)
    browser.submit(**{"instance.name": "Main job", "instance.time_zone": "Europe/Berlin"})
    browser.submit(frequency="weekly", hour="4", weekday="2", max="5")
    _require(browser, "/")


def sign_in(browser: Browser, username: str, password: str) -> None:
    """Raises Conflict when the person does not land inside."""
    browser.go("/login")
    browser.submit(username=username, password=password)
    _require(browser, "/")


def upload_pictures(browser: Browser) -> None:
    """Every kind of picture there is."""
    for page, name, colour in (
        ("/settings/account/profile", "", VIOLET),
        ("/settings/customization/icons", "Shop", GREEN),
        ("/settings/customization/icons", "Blog", ORANGE),
        ("/settings/customization/favicon", "", NIGHT),
    ):
        browser.go(page)
        target = "/settings/account/picture" if "profile" in page else page
        browser.send_file(target, "picture", picture(colour), {"name": name} if name else {})
        _require(browser, page)


def back_up(browser: Browser, into: Path) -> Path:
    """Press Create backup, wait for it in the list, download it."""
    browser.go(BACKUPS)
    browser.send(f"{BACKUPS}/create", {"csrf_token": browser.token})
    deadline = time.monotonic() + PATIENCE
    while not (found := _DOWNLOAD.search(browser.go(BACKUPS))):
        if time.monotonic() > deadline:
            raise Unavailable(f"No backup appeared in the list within a minute. It shows: {browser.words()}")
        time.sleep(LOOK_EVERY)
    headers, data = browser.raw("GET", found[1], {})
    name = _NAME.search(headers.get("Content-Disposition", ""))
    if name is None:
        raise Conflict(f"The download has no name: {headers}")
    file = into / name[1]
    file.write_bytes(data)
    return file


def restore(browser: Browser, paths: Paths, archive: Path) -> None:
    """The wizard's second way, up to the restart."""
    _give_code(browser, paths)
    browser.go("/setup/restore")
    uid = _upload(browser, archive)
    here = f"/setup/restore/upload/{uid}"
    deadline = time.monotonic() + PATIENCE
    while "Restore this backup" not in browser.go(f"{here}?look=1"):
        if time.monotonic() > deadline:
            raise Unavailable(f"The archive was not read within a minute. The page shows: {browser.words()}")
        time.sleep(LOOK_EVERY)
    browser.send(here, {"csrf_token": browser.token})


def _give_code(browser: Browser, paths: Paths) -> None:
    browser.go("/")
    browser.submit(code=paths.setup_code.read_text(encoding="ascii").strip())
    _require(browser, "/setup/start")


def _upload(browser: Browser, archive: Path) -> str:
    """Send a file in pieces, as tus 1.0 says; its uid."""
    data = archive.read_bytes()
    name = base64.b64encode(archive.name.encode()).decode()
    announced = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
    headers, _ = browser.raw("POST", "/api/1/uploads", announced, b"")
    where = headers["Location"]
    for start in range(0, len(data), PIECE):
        piece = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(start)}
        piece["Content-Type"] = "application/offset+octet-stream"
        browser.raw("PATCH", where, piece, data[start : start + PIECE])
    return where.rpartition("/")[2]


def _require(browser: Browser, path: str) -> None:
    if browser.path != path or browser.status != OK:
        raise Conflict(
            f"The way led to {browser.path} with status {browser.status} instead of {path}. It shows: {browser.words()}"
        )
