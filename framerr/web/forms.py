"""Reading a form: typed values out, sentences beside the fields, nothing lost of what was typed.

A view makes a `Form`, takes values from it, and asks `ok`; when something is wrong it renders the same page with the
same form (status 422), and the template shows `form.value(name)` and `form.error(name)` in each field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import request

from framerr.core.errors import FramerrError, InvalidInput

ANYWHERE = ""


class Form:
    """What was typed (`typed`) and what is wrong with it (`errors`: field name, or ANYWHERE, to sentence).

    Passwords are read like other fields, but never handed back to a template by `value`.
    """

    def __init__(self, typed: Mapping[str, str] | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        self.typed: dict[str, str] = dict(typed or {})
        self.errors: dict[str, str] = {}
        self._initial = dict(initial or {})
        self._secret: set[str] = set()

    @classmethod
    def posted(cls, *, initial: Mapping[str, Any] | None = None) -> Form:
        """The form of this request; the first value of each name."""
        return cls(request.form.to_dict(), initial=initial)

    @property
    def ok(self) -> bool:
        return not self.errors

    def text(self, name: str, *, need: str = "", most: int = 200) -> str:
        """The trimmed text of a field. `need` is the sentence for an empty one; without it, empty is fine."""
        value = self.typed.get(name, "").strip()
        if not value and need:
            self.fail(name, need)
        if len(value) > most:
            self.fail(name, f"At most {most} characters, this has {len(value)}.")
        return value

    def secret(self, name: str, *, need: str) -> str:
        """A password exactly as typed, not trimmed; it is never shown again."""
        self._secret.add(name)
        value = self.typed.get(name, "")
        if not value:
            self.fail(name, need)
        return value[:4096]

    def whole(self, name: str, low: int, high: int, *, need: str) -> int:
        """A whole number from `low` to `high`; `need` says what is allowed. Returns `low` after a failure."""
        text = self.typed.get(name, "").strip()
        value = int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12 else None
        if value is None or not low <= value <= high:
            self.fail(name, need)
            return low
        return value

    def choice(self, name: str, allowed: Mapping[str, Any] | list[str] | tuple[str, ...], *, need: str) -> str:
        """One of `allowed`. Returns the empty text after a failure."""
        value = self.typed.get(name, "")
        if value not in allowed:
            self.fail(name, need)
            return ""
        return value

    def file(self, name: str, *, need: str) -> bytes:
        """The bytes of an uploaded file; `need` is the sentence when none was chosen. Its name and type are not believed."""
        data = request.files[name].read() if name in request.files else b""
        if not data:
            self.fail(name, need)
        return data

    def flag(self, name: str) -> bool:
        """Whether a checkbox is ticked: browsers send nothing for one that is not."""
        return bool(self.typed.get(name))

    def fail(self, name: str, sentence: str) -> None:
        """Note what is wrong with a field (ANYWHERE: with the form); the first sentence of a field stays."""
        self.errors.setdefault(name, sentence)

    @contextmanager
    def catching(self, *kinds: type[FramerrError], field: str = ANYWHERE) -> Iterator[None]:
        """Errors of `kinds` (InvalidInput when none is given) in the block become a sentence beside a field.

        An InvalidInput that names a field of this form is shown there, anything else at `field`.
        """
        expected = kinds or (InvalidInput,)
        try:
            yield
        except expected as error:
            named = error.field if isinstance(error, InvalidInput) else None
            self.fail(named or field, error.message)

    def value(self, name: str, default: Any = "") -> Any:
        """What to show in a field: what was typed, else the stored value, else `default`. Never a password."""
        if name in self._secret:
            return ""
        if self.typed:
            return self.typed.get(name, "")
        return self._initial.get(name, default)

    def error(self, name: str = ANYWHERE) -> str:
        """The sentence below a field, or the empty text."""
        return self.errors.get(name, "")
