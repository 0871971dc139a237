"""Static files and their addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from framerr.web.static import StaticFiles
from tests.web.people import Visitor


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    """The same files give the same address, one changed byte another."""
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("a")
    before = StaticFiles(tmp_path).version
    assert StaticFiles(tmp_path).version == before
    (tmp_path / "css" / "a.css").write_text("b")
    assert StaticFiles(tmp_path).version != before


def test_a_link_to_a_file_that_is_not_there_is_a_fault_of_the_page(app: Flask) -> None:
    """It is found when the page is rendered, not by the person."""
    with app.test_request_context(), pytest.raises(KeyError):
        app.jinja_env.globals["static_url"]("css/nope.css")


def test_an_old_page_still_gets_its_files(administrator: Visitor) -> None:
    """After an upgrade the old address answers with what is there now, to be checked each time."""
    response = administrator.get("/static/0123456789ab/css/framerr.css")
    assert response.status_code == 200
    assert response.mimetype == "text/css"
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["../pyproject.toml", "%2e%2e/pyproject.toml", "/etc/passwd", "css", "css/"])
def test_nothing_outside_the_folder_is_served(administrator: Visitor, name: str) -> None:
    """Only names that were there at the start exist."""
    assert administrator.get(f"/static/x/{name}").status_code in {404, 308}
