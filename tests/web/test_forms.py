"""Reading forms: typed values, sentences at the fields, nothing lost."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask

from framerr.core.errors import Conflict, InvalidInput, LimitExceeded
from framerr.web.forms import ANYWHERE, Form


def test_texts_are_trimmed_and_needed_ones_asked_for() -> None:
    """The sentence for an empty field is the caller's."""
    form = Form({"name": "  Studio  ", "empty": "   "})
    assert form.text("name", need="Type a name.") == "Studio"
    assert form.text("empty") == ""
    assert form.ok
    assert form.text("empty", need="Type something.") == ""
    assert form.error("empty") == "Type something."
    form.text("name", most=3)
    assert form.error("name") == "At most 3 characters, this has 6."


@pytest.mark.parametrize("typed", ["0", "31", "-1", "", "abc", "3.5", "٣", "1e3", "999999999999999999"])
def test_a_number_outside_is_refused(typed: str) -> None:
    """0, negative, empty and non-numeric are refused everywhere (T31)."""
    form = Form({"max": typed})
    form.whole("max", 1, 30, need="Keep at least 1 and at most 30.")
    assert form.errors == {"max": "Keep at least 1 and at most 30."}
    assert form.value("max") == typed


def test_a_number_inside_is_a_number() -> None:
    """Both ends belong to it."""
    assert [Form({"max": text}).whole("max", 1, 30, need="") for text in ("1", " 7 ", "30")] == [1, 7, 30]


def test_a_choice_is_one_of_those_offered() -> None:
    """Anything else is a sentence."""
    assert Form({"how": "daily"}).choice("how", ("off", "daily"), need="Choose.") == "daily"
    form = Form({"how": "hourly"})
    assert form.choice("how", ("off", "daily"), need="Choose how often.") == ""
    assert form.error("how") == "Choose how often."


def test_a_box_that_is_not_ticked_is_not_sent() -> None:
    """Absent means no."""
    assert Form({"keep": "1"}).flag("keep")
    assert not Form({}).flag("keep")


def test_passwords_are_kept_as_typed_and_never_shown_again() -> None:
    """Spaces count, and the page that is rendered again does not hold it."""
    form = Form({"password": "  spaces count  "})
    assert form.secret("password", need="Type it.") == "  spaces count  "
    assert form.value("password") == ""


def test_what_was_typed_wins_over_what_is_stored() -> None:
    """Also an emptied field stays empty; before anything was typed the stored value shows."""
    assert Form(initial={"name": "stored"}).value("name") == "stored"
    assert Form({"name": ""}, initial={"name": "stored"}).value("name") == ""
    assert Form().value("name", "default") == "default"


def test_errors_of_the_rooms_land_at_their_fields() -> None:
    """An InvalidInput names its field; other kinds go where the caller says; others pass through."""
    form = Form({})
    with form.catching(field="other"):
        raise InvalidInput("Too short.", field="name")
    with form.catching(LimitExceeded, field="picture"):
        raise LimitExceeded("Too large.")
    with form.catching():
        raise InvalidInput("Somewhere.")
    assert form.errors == {"name": "Too short.", "picture": "Too large.", ANYWHERE: "Somewhere."}
    with pytest.raises(Conflict), form.catching():
        raise Conflict("Taken.")


def test_the_first_sentence_of_a_field_stays() -> None:
    """A second check does not overwrite why the first one failed."""
    form = Form({})
    form.fail("name", "First.")
    form.fail("name", "Second.")
    assert form.error("name") == "First."


def test_a_posted_form_is_read_once_with_its_file() -> None:
    """The first value of each name; the bytes of a file; the sentence when none was chosen."""
    app = Flask("x")
    data = {"name": ["one", "two"], "picture": (BytesIO(b"bytes"), "x.png")}
    with app.test_request_context(method="POST", data=data):
        form = Form.posted()
        assert form.text("name") == "one"
        assert form.file("picture", need="Choose one.") == b"bytes"
        assert form.file("other", need="Choose one.") == b""
        assert form.errors == {"other": "Choose one."}
