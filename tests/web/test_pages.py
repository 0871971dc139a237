"""Every page of every room, on an empty and on a filled instance."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from framerr.appliance import Appliance
from framerr.web import access
from framerr.web.access import Access
from tests.web.filled import fill
from tests.web.people import Visitor
from tests.web.test_access import routes

# What a path needs besides the map: a thing that exists, found on the page that lists it.
LISTS = ("/", "/activity", "/settings/customization/icons", "/settings/integrations", "/settings/advanced/backups")


def pages(app: Flask) -> list[str]:
    """The addresses without a variable part that answer a look."""
    open_to_people = {Access.SIGNED_IN, Access.ADMINISTRATOR}
    return [
        path
        for rule, method, path in routes(app)
        if method == "GET" and not rule.arguments and access.of(app, rule.endpoint) in open_to_people
    ]


def check(visitor: Visitor, path: str) -> str:
    response = visitor.get(path)
    assert response.status_code == 200, (path, response.status_code)
    text: str = response.text
    if response.mimetype == "text/html" and "<html" in text:
        assert len(re.findall(r"<h1[ >]", text)) == 1, path
        assert "</html>" in text
    return text


@pytest.mark.parametrize("filled", [False, True])
def test_every_page_renders(app: Flask, appliance: Appliance, administrator: Visitor, filled: bool) -> None:
    """Nothing is assumed to exist, and nothing that exists breaks a page."""
    if filled:
        fill(appliance)
    for path in pages(app):
        check(administrator, path)


def test_nothing_is_a_dead_link(appliance: Appliance, administrator: Visitor) -> None:
    """Every link of every page that lists something leads somewhere."""
    fill(appliance)
    wrong = []
    seen: set[str] = set()
    for path in LISTS:
        for target in re.findall(r'<a [^>]*href="(/[^"#]*)', check(administrator, path)):
            address = target.replace("&amp;", "&")
            if address in seen:
                continue
            seen.add(address)
            status = administrator.get(address).status_code
            wrong += [] if status in {200, 206} else [(path, address, status)]
    assert wrong == []
    assert len(seen) > 20


def test_every_form_posts_to_a_page_of_ours_with_a_token(appliance: Appliance, administrator: Visitor) -> None:
    """A form without the token could never be sent."""
    fill(appliance)
    for path in LISTS:
        for form in re.findall(r'<form [^>]*method="post".*?</form>', check(administrator, path), re.DOTALL):
            assert 'name="csrf_token"' in form, (path, form[:120])
