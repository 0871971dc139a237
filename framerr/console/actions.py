"""The table of actions: what a command may ask of an instance, running or not."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from framerr.accounts import users
from framerr.backups import delete, folder
from framerr.backups.inspect import Inspection, inspect_archive
from framerr.backups.models import DELETED, Backup
from framerr.console.desk import ACTOR, Action, Desk, Result
from framerr.core.clock import utcnow
from framerr.core.db import as_text
from framerr.core.errors import NotFound
from framerr.core.paths import Paths
from framerr.jobs import schedules
from framerr.jobs.progress import Progress
from framerr.observability import audit
from framerr.settings import schema, store


class Nothing(msgspec.Struct):
    """No parameters."""


class Named(msgspec.Struct):
    """A backup of the list, by its file name."""

    name: str


class Archive(msgspec.Struct):
    """An archive: an absolute path, or the name of a listed backup."""

    file: str


class Note(msgspec.Struct):
    """A word about a backup, for its manifest and the list."""

    note: str = ""


class Password(msgspec.Struct):
    """Whose password, and the new one."""

    username: str
    password: str


class Key(msgspec.Struct):
    """A setting."""

    key: str


class KeyValue(msgspec.Struct):
    """A setting and its new value, as text."""

    key: str
    value: str


def create_backup(desk: Desk, given: Note) -> Result:
    return desk.run("backup", params={"note": given.note})


def list_backups(desk: Desk, _given: Nothing) -> Result:
    parts = desk.appliance
    folder.reconcile(parts.db, parts.paths, now=utcnow())
    with parts.db.reading() as session:
        return [_as_json(row) for row in folder.present(session)]


def verify_backup(desk: Desk, given: Named) -> Result:
    return desk.run("verify", subject=_named(desk, given.name).uid)


def delete_backup(desk: Desk, given: Named) -> Result:
    parts, now = desk.appliance, utcnow()
    row = _named(desk, given.name)
    delete.delete_backup(parts.db, parts.paths, row.uid, deleted_by="the command line", now=now)
    with parts.db.writing() as session:
        audit.record(session, ACTOR, DELETED, row.name, "", "", now)
    return {"name": row.name}


def inspect_backup(desk: Desk, given: Archive) -> Result:
    parts = desk.appliance
    return contents(inspect_archive(source(parts.paths, given.file), parts.paths, Progress(), limits=parts.limits))


def restore(desk: Desk, given: Archive) -> Result:
    """Stage an archive; what puts it in comes afterwards."""
    path = source(desk.appliance.paths, given.file)
    staged = desk.run_own("restore", {"file": str(path), "name": path.name})
    with_warnings = " ".join(
        [f"{staged['what']} is prepared.", desk.afterwards, staged["way_back"], *staged["warnings"]]
    )
    return {**staged, "sentence": with_warnings}


def reset(desk: Desk, _given: Nothing) -> Result:
    """Stage an empty instance; what puts it in comes afterwards."""
    staged = desk.run_own("reset")
    return {**staged, "sentence": f"An empty instance is prepared. {desk.afterwards} {staged['way_back']}"}


def reset_password(desk: Desk, given: Password) -> Result:
    """Give an account a new password; its sessions end."""
    with desk.appliance.db.writing() as session:
        user = users.find_by_username(session, given.username)
        if user is None:
            raise NotFound(f"There is no user named {given.username}.")
        ended = users.set_password(session, user.uid, given.password)
        audit.record(session, ACTOR, "user.password-reset", user.username, "", "", utcnow())
        return {"username": user.username, "sessions_ended": ended}


def list_settings(desk: Desk, _given: Nothing) -> Result:
    with desk.appliance.db.reading() as session:
        values = store.read(session)
    return [
        {"key": known.key, "value": values[known.key], "default": known.default, "help": known.help}
        for known in schema.SETTINGS
    ]


def get_setting(desk: Desk, given: Key) -> Result:
    with desk.appliance.db.reading() as session:
        return {"key": given.key, "value": store.read(session)[given.key]}


def set_setting(desk: Desk, given: KeyValue) -> Result:
    """Change a setting; schedules follow a new time zone. Nothing is deleted at once when Max backups is lowered: the
    next backup does that."""
    now = utcnow()
    with desk.appliance.db.writing() as session:
        value = store.change(session, given.key, given.value, now)
        session.flush()
        if given.key == schema.TIME_ZONE.key:
            schedules.rezone(session, ZoneInfo(str(value)), now)
        audit.record(session, ACTOR, "setting.changed", given.key, "", f"Set to {value}.", now)
    return {"key": given.key, "value": value}


ACTIONS: Final[dict[str, Action]] = {
    "backup.create": Action(Note, create_backup),
    "backup.list": Action(Nothing, list_backups),
    "backup.verify": Action(Named, verify_backup),
    "backup.delete": Action(Named, delete_backup),
    "backup.inspect": Action(Archive, inspect_backup),
    "restore": Action(Archive, restore),
    "reset": Action(Nothing, reset),
    "reset-password": Action(Password, reset_password),
    "config.list": Action(Nothing, list_settings),
    "config.get": Action(Key, get_setting),
    "config.set": Action(KeyValue, set_setting),
}


def source(paths: Paths, file: str) -> Path:
    """The path of an archive that is named by path or by its name in the backups folder."""
    return Path(file) if Path(file).is_absolute() else paths.backups / Path(file).name


def contents(found: Inspection) -> dict[str, Any]:
    """What an inspection found, as JSON."""
    manifest = found.manifest
    lines = {"comes_back": found.comes_back, "starts_empty": found.starts_empty, "not_included": found.not_included}
    return {
        "name": found.name,
        "size": found.size,
        "type": manifest.type,
        "instance": manifest.instance.name,
        "created_at": as_text(manifest.created_at),
        "app_version": manifest.app_version,
        "schema_revision": manifest.schema_revision,
        "files": found.files_matched,
        "unpacked_size": found.unpacked_size,
        "warnings": list(found.warnings),
    } | {part: [asdict(line) for line in several] for part, several in lines.items()}


def _named(desk: Desk, name: str) -> Backup:
    """Raises NotFound."""
    folder.reconcile(desk.appliance.db, desk.appliance.paths, now=utcnow())
    with desk.appliance.db.reading() as session:
        for row in folder.present(session):
            if row.name == name:
                return row
    raise NotFound(f"There is no backup named {name}. 'framerr backup list' shows them all.")


def _as_json(row: Backup) -> dict[str, Any]:
    return {
        "name": row.name,
        "type": row.type,
        "serial": row.serial,
        "size": row.size,
        "created_at": as_text(row.created_at),
        "state": row.state,
        "problem": row.problem,
        "verified_at": as_text(row.verified_at) if row.verified_at else None,
        "pinned": row.pinned_at is not None,
        "note": row.note,
    }
