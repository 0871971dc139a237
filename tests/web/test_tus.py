"""What the headers of tus 1.0 say."""

from __future__ import annotations

import pytest

from framerr.core.errors import InvalidInput
from framerr.web.tus import metadata, whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("8388608", 8388608), ("9" * 18, 10**18 - 1)])
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert whole_number(text, "Upload-Offset") == number


@pytest.mark.parametrize("text", [None, "", "-1", "+1", "1.5", "0x10", " 1", "١", "9" * 19, "1e9"])
def test_anything_else_is_no_number(text: str | None) -> None:
    with pytest.raises(InvalidInput, match="Upload-Length must be a whole number"):
        whole_number(text, "Upload-Length")


def test_metadata_is_decoded() -> None:
    """Keys without a value, spaces around the commas, and any script."""
    assert metadata("filename w4RyY2hpdi56aXA=, is_confidential,empty ") == {
        "filename": "Ärchiv.zip",
        "is_confidential": "",
        "empty": "",
    }
    assert metadata("") == {}


@pytest.mark.parametrize("header", ["filename ***", "filename w4Ry Y2", "filename abc"])
def test_metadata_that_is_none_is_refused(header: str) -> None:
    with pytest.raises(InvalidInput, match="Base64"):
        metadata(header)
