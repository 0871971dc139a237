"""What a backup archive is: its format, its file names, its manifest.

The manifest is the last member and the proof of all others. Unknown keys are ignored, so that older versions read what
newer ones add; a change that older versions must not ignore raises FORMAT. Whoever made an archive wrote its texts, so
those that people see are made legible when it is read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from framerr.core.errors import Corrupt, Incompatible, InvalidInput
from framerr.core.text import legible

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "framerr.db"
MANIFEST_LIMIT = 64 << 20
Type = Literal["manual", "scheduled", "safety"]
NAME = re.compile(
    r"framerr-(?:manual|scheduled|safety)-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(?:-[1-9]\d{0,5})?(?:\.protected)?\.zip"
)
LARGEST_SERIAL = 10**12
_NAME_LENGTH = 100
_SENTENCE_LENGTH = 300
_VERSION_LENGTH = 40
FIRST_YEAR, LAST_YEAR = 1970, 9998

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Few = msgspec.Meta(max_length=200)
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Proof(msgspec.Struct, frozen=True):
    """What a member must be when it is read again."""

    size: _Count
    sha256: _Sha256


class InstanceRef(msgspec.Struct, frozen=True):
    """The instance that made the archive. `id` travels with restores, so an instance recognises its own archives."""

    id: str
    name: str


class Part(msgspec.Struct, frozen=True):
    """A part of the configuration: in the archive or not, and if not, why."""

    section: str
    title: str
    included: bool
    why: str = ""
    files: _Count = 0
    size: _Count = 0


class Purged(msgspec.Struct, frozen=True):
    """A table whose rows were left out, with the words a person reads on the restore page."""

    table: str
    name: str
    words: str
    rows: _Count


class SealedElsewhere(msgspec.Struct, frozen=True):
    """Credentials that stayed sealed because the instance did not have the key that sealed them."""

    table: str
    column: str
    fingerprint: str
    rows: _Count


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The last member of every archive (R-002-17). `sections` holds what each contribution says of its own members."""

    format: int
    app_version: str
    schema_revision: str
    type: Type
    serial: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_SERIAL)]
    created_at: _Moment
    instance: InstanceRef
    included: Annotated[list[Part], _Few]
    counts: dict[str, _Count]
    files: dict[str, Proof]
    purged_on_restore: Annotated[list[Purged], _Few]
    sections: dict[str, Any] = {}
    sealed_elsewhere: Annotated[list[SealedElsewhere], _Few] = []
    note: str = ""


class _Glance(msgspec.Struct):
    format: Any = None
    version: Any = None
    app_version: Any = None


def file_name(type: Type, created_at: datetime, number: int = 1) -> str:
    """`framerr-<type>-<YYYY-MM-DDTHH-MM-SSZ>.zip`, with `-2`, `-3` and so on for the next ones of one second."""
    stamp = created_at.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    return f"framerr-{type}-{stamp}{'' if number == 1 else f'-{number}'}.zip"


def part_name(name: str) -> str:
    """The name of an archive while it is being made, beside its final place."""
    return f".{name}.part"


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(data: bytes) -> Manifest:
    """Read a manifest, its texts legible.

    Raises InvalidInput when it is another program's (Framerr 0.x is named), Incompatible when its format is newer,
    naming both versions, and Corrupt when it is ours but not complete.
    """
    try:
        glance = msgspec.json.decode(data, type=_Glance)
    except _UNREADABLE:
        raise _unreadable() from None
    if glance.format is None and glance.version is not None:
        raise InvalidInput(
            f"This is a backup of Framerr {_version(glance.version)}, an older program of the same name with another "
            "kind of database. It cannot be restored here. Set the instance up with Start Fresh."
        )
    if not isinstance(glance.format, int) or isinstance(glance.format, bool) or glance.format < 1:
        raise InvalidInput("This archive was not made by Framerr: its manifest names no format. Choose another file.")
    if glance.format > FORMAT:
        raise Incompatible(
            f"This backup has the archive format {glance.format} (made by version {_version(glance.app_version)}); this "
            f"version reads up to format {FORMAT}. Install the newer version, or use an older backup."
        )
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.ValidationError as error:
        raise Corrupt(
            f"The manifest of this archive is not complete ({error}). Use another backup, or copy this one again."
        ) from None
    except _UNREADABLE:
        raise _unreadable() from None
    _require_sane_moment(manifest.created_at)
    return _legible(manifest)


# ValueError holds what msgspec and Unicode raise; a forged manifest may be nested deeper than anybody reads.
_UNREADABLE = (ValueError, OverflowError, RecursionError)


def _unreadable() -> Corrupt:
    return Corrupt(
        "The manifest of this archive cannot be read: it is damaged. Use another backup, or copy this one again."
    )


def _require_sane_moment(moment: datetime) -> None:
    """Raises Corrupt for a time that not every zone can show, or before any computer's clock began."""
    try:
        is_sane = FIRST_YEAR <= moment.astimezone(UTC).year <= LAST_YEAR
    except OverflowError:
        is_sane = False
    if not is_sane:
        raise Corrupt(
            "The manifest of this archive says that it was made at an impossible time: it is damaged or forged. Use "
            "another backup."
        )


def _legible(manifest: Manifest) -> Manifest:
    """With every text that is shown to people cleaned and cut."""
    replace = msgspec.structs.replace
    return replace(
        manifest,
        app_version=_version(manifest.app_version),
        schema_revision=_version(manifest.schema_revision),
        instance=replace(manifest.instance, name=legible(manifest.instance.name, _NAME_LENGTH)),
        included=[
            replace(part, title=legible(part.title, _NAME_LENGTH), why=legible(part.why, _SENTENCE_LENGTH))
            for part in manifest.included
        ],
        purged_on_restore=[
            replace(each, name=legible(each.name, _NAME_LENGTH), words=legible(each.words, _SENTENCE_LENGTH))
            for each in manifest.purged_on_restore
        ],
        sealed_elsewhere=[replace(each, fingerprint=_version(each.fingerprint)) for each in manifest.sealed_elsewhere],
        note=legible(manifest.note, _SENTENCE_LENGTH),
    )


def _version(value: object) -> str:
    return legible(str(value), _VERSION_LENGTH)
