"""The manifest of somebody else's archive: what it says of itself is shown, so it can do no harm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framerr.backups import archive
from framerr.core.errors import Corrupt, Incompatible, InvalidInput

HOSTILE = "\u202e\x1b[2J" + "A" * 20_000
PLAIN: dict[str, Any] = {
    "format": 1,
    "app_version": "1.0.0",
    "schema_revision": "0001",
    "type": "manual",
    "serial": 1,
    "created_at": "2026-03-10T12:00:00Z",
    "instance": {"id": "one", "name": "Studio server"},
    "included": [{"section": "favicon", "title": "Favicon", "included": False, "why": "there is none"}],
    "counts": {},
    "files": {},
    "purged_on_restore": [{"table": "x", "name": "Sessions", "words": "everybody signs in again", "rows": 1}],
    "sealed_elsewhere": [{"table": "x", "column": "y", "fingerprint": "abc", "rows": 1}],
    "note": "Before the move",
}


def decoded(**changes: Any) -> archive.Manifest:
    return archive.decode(json.dumps(PLAIN | changes).encode())


def shown(manifest: archive.Manifest) -> list[str]:
    (part,), (purged,), (sealed,) = manifest.included, manifest.purged_on_restore, manifest.sealed_elsewhere
    return [
        manifest.app_version,
        manifest.schema_revision,
        manifest.instance.name,
        manifest.note,
        *(part.title, part.why, purged.name, purged.words, sealed.fingerprint),
    ]


def test_ordinary_texts_stay_as_they_are() -> None:
    assert shown(decoded()) == [
        *("1.0.0", "0001", "Studio server", "Before the move"),
        *("Favicon", "there is none", "Sessions", "everybody signs in again", "abc"),
    ]


def test_hostile_texts_are_cut_and_lose_what_cannot_be_seen() -> None:
    """A name with a reversed direction and 20,000 letters made a page 368,171 pixels wide."""
    (part,), (purged,) = PLAIN["included"], PLAIN["purged_on_restore"]
    manifest = decoded(
        app_version=HOSTILE,
        schema_revision=HOSTILE,
        instance={"id": "one", "name": HOSTILE},
        note=HOSTILE,
        included=[part | {"title": HOSTILE, "why": HOSTILE}],
        purged_on_restore=[purged | {"name": HOSTILE, "words": HOSTILE}],
        sealed_elsewhere=[PLAIN["sealed_elsewhere"][0] | {"fingerprint": HOSTILE}],
    )

    for text in shown(manifest):
        assert text.startswith("[2JAAA")
        assert text.endswith("A…")
        assert text.isprintable()
        assert len(text) <= 300


@pytest.mark.parametrize("field", ["included", "purged_on_restore", "sealed_elsewhere"])
def test_lists_without_end_are_refused(field: str) -> None:
    with pytest.raises(Corrupt, match="not complete"):
        decoded(**{field: PLAIN[field] * 201})


def test_a_refusal_is_no_longer_than_a_person_reads() -> None:
    with pytest.raises(Incompatible) as newer:
        decoded(format=2, app_version=HOSTILE)
    with pytest.raises(InvalidInput) as other:
        archive.decode(json.dumps({"version": HOSTILE}).encode())

    for refused in (newer, other):
        assert len(refused.value.message) < 300
        assert refused.value.message.isprintable()
