"""Somebody else's archive in the wizard: its words are shown, and do no harm."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from framerr.appliance import Appliance
from framerr.web import create_app
from tests import hostile
from tests.factories import appliance_in
from tests.web.people import Visitor, set_up


def test_the_wizard_shows_the_words_of_an_archive_cut_and_without_what_cannot_be_seen(
    empty: Appliance, tmp_path: Path
) -> None:
    """A reversed writing direction, control characters and 20,000 letters stood in title, heading and lists."""
    with appliance_in(tmp_path / "elsewhere") as other:
        set_up(other)
        shutil.copy(hostile.archive(other), empty.paths.backups)
    visitor = Visitor(create_app(empty))
    listed = visitor.get("/setup/restore").text
    found = re.search(r'href="(/setup/restore/backup/[^"]+)"', listed)
    assert found is not None

    inside = visitor.get(f"{found[1]}?look=1").text

    assert "A good backup of" in inside
    for page in (listed, inside):
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", page)
        assert not re.search("A{301}", page)
