"""What every error of the product promises."""

from __future__ import annotations

import os

from framerr.core.errors import NotFound


def test_a_message_about_a_file_of_any_name_can_be_stored_and_printed() -> None:
    error = NotFound(f"{os.fsdecode(b'caf' + bytes([0xE9]))}.zip is not there any more. Für immer.")

    assert error.message == str(error) == r"caf\udce9.zip is not there any more. Für immer."
    assert error.message.encode()
