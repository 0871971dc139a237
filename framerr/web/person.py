"""The signed-in person, as pages and Flask-Login see them: plain values, free of any database session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from framerr.accounts.models import Role, Theme, TimeFormat, User


@dataclass(frozen=True)
class Person:
    """`token` is the secret of this browser's session. `theme` and `time_format` are None until chosen."""

    uid: str
    username: str
    display_name: str
    role: Role
    picture: str | None
    time_format: TimeFormat | None
    theme: Theme | None
    token: str

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @classmethod
    def of(cls, user: User, token: str) -> Self:
        return cls(
            uid=user.uid,
            username=user.username,
            display_name=user.display_name,
            role=user.role,
            picture=user.picture,
            time_format=user.time_format,
            theme=user.theme,
            token=token,
        )

    @property
    def is_administrator(self) -> bool:
        return self.role == "administrator"

    @property
    def initials(self) -> str:
        """One or two letters for people without a picture."""
        words = self.display_name.split() or [self.username]
        letters = words[0][:1] + (words[-1][:1] if len(words) > 1 else words[0][1:2])
        return letters.upper()

    def get_id(self) -> str:
        """What the cookie carries: the token, never the number of an account."""
        return self.token

    def __repr__(self) -> str:
        return f"Person({self.username!r}, {self.role!r})"
