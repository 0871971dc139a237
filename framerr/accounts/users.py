"""People with an account: made, found, renamed, given a new password."""

from __future__ import annotations

import re
from datetime import datetime
from typing import cast, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from framerr.accounts import attempts, sessions
from framerr.accounts.models import Role, Theme, TimeFormat, User
from framerr.accounts.passwords import check_password_rules, hash_password
from framerr.core.errors import Conflict, InvalidInput, NotFound
from framerr.core.text import one_line

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


def check_username(username: str) -> str:
    """The user name without surrounding spaces.

    Raises InvalidInput (field `username`) when it is not 1 to 64 ASCII letters, digits and `. _ - @ +`, beginning with
    a letter or digit: two names must never look the same.
    """
    name = username.strip()
    if not name:
        raise InvalidInput("The user name is missing. Choose one, such as admin.", field="username")
    if not _USERNAME.fullmatch(name):
        raise InvalidInput(
            "A user name has 1 to 64 letters (A to Z), digits, or . _ - @ +, and begins with a letter or digit. "
            "The display name may be anything.",
            field="username",
        )
    return name


def create_user(
    session: Session, *, username: str, password: str, display_name: str, role: Role, now: datetime
) -> User:
    """Add an account; an empty display name becomes the user name.

    Raises InvalidInput naming the field, Conflict when the user name is taken, in whatever case.
    """
    name = check_username(username)
    check_password_rules(password, username=name)
    shown = _display_name(display_name) if display_name.strip() else name
    if find_by_username(session, name) is not None:
        raise Conflict(f"There is already a user named {name}. Choose another user name.")
    user = User(username=name, display_name=shown, password_hash=hash_password(password), role=role, created_at=now)
    session.add(user)
    session.flush()
    return user


def find_by_username(session: Session, username: str) -> User | None:
    """The user of this name in whatever case, or None."""
    name = username.strip()
    return session.scalar(select(User).where(User.username == name)) if name.isascii() else None


def get_user(session: Session, uid: str) -> User:
    """Raises NotFound."""
    user = session.scalar(select(User).where(User.uid == uid))
    if user is None:
        raise NotFound("This user does not exist any more.")
    return user


def count_users(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(User)) or 0


def update_profile(session: Session, uid: str, *, display_name: str) -> User:
    """Change the name others see. Raises InvalidInput (field `display_name`), NotFound."""
    user = get_user(session, uid)
    user.display_name = _display_name(display_name)
    return user


def set_preferences(session: Session, uid: str, *, time_format: str | None, theme: str | None) -> User:
    """Change how times and pages look to this person; None means as the instance is set.

    Raises InvalidInput naming the field, NotFound.
    """
    user = get_user(session, uid)
    if time_format is not None and time_format not in get_args(TimeFormat):
        raise InvalidInput("The time format is 12 or 24 hours. Choose one of them.", field="time_format")
    if theme is not None and theme not in get_args(Theme):
        raise InvalidInput("The theme is system, light or dark. Choose one of them.", field="theme")
    user.time_format = cast(TimeFormat | None, time_format)
    user.theme = cast(Theme | None, theme)
    return user


def set_password(session: Session, uid: str, password: str, *, keep_token: str | None = None) -> int:
    """Replace a password and end the user's sessions, but for the one of `keep_token`. Returns how many ended.

    Failures on the account are forgotten, so that a person who was given a new password can use it at once. Does not
    ask for the old password; `sessions.confirm` does. Raises InvalidInput (field `password`), NotFound.
    """
    user = get_user(session, uid)
    check_password_rules(password, username=user.username)
    user.password_hash = hash_password(password)
    attempts.forgive(session, user.username)
    return sessions.sign_out_everywhere(session, user.id, keep_token=keep_token)


def _display_name(text: str) -> str:
    return one_line(text, label="The display name", field="display_name", longest=100)
