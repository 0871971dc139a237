"""Sealing credentials with the instance key, and where that key comes from.

AES-256-GCM with a random 96-bit nonce. A sealed value is the text `sealed:1:<fingerprint>:<base64 of nonce + ciphertext>`;
the context (`table.column`) is authenticated, so a sealed value cannot be moved into another column. The fingerprint
tells which key sealed it without telling the key. In a portable backup the same column holds `plain:<text>`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from framerr.core.config import Settings
from framerr.core.errors import Corrupt, Forbidden, InvalidInput
from framerr.core.files import atomic_write, disk_errors
from framerr.core.paths import Paths

KEY_BYTES = 32
_NONCE_BYTES = 12
_SEALED = "sealed:1:"
_PLAIN = "plain:"


@dataclass(frozen=True)
class InstanceKey:
    """The 32 bytes that seal this instance's credentials. `repr` shows only the fingerprint."""

    raw: bytes = field(repr=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise InvalidInput(f"The instance key must be {KEY_BYTES} bytes, not {len(self.raw)}.")
        digest = hashlib.sha256(b"framerr instance key\0" + self.raw).hexdigest()
        object.__setattr__(self, "fingerprint", digest[:12])

    @classmethod
    def new(cls) -> InstanceKey:
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> InstanceKey:
        """Read 32 bytes given as 64 hex digits or as base64. Raises InvalidInput, never repeating the text."""
        compact = "".join(text.split())
        try:
            raw = bytes.fromhex(compact) if len(compact) == 2 * KEY_BYTES else _from_base64(compact)
        except ValueError:
            raw = b""
        if len(raw) != KEY_BYTES:
            raise InvalidInput(
                "The instance key must be 32 bytes, written as 64 hex digits or as base64. "
                "A new one can be made with: openssl rand -hex 32"
            )
        return cls(raw)

    def seal(self, plain: str, context: str) -> str:
        """Seal `plain` for the column named by `context`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        box = AESGCM(self.raw).encrypt(nonce, plain.encode(), context.encode())
        return f"{_SEALED}{self.fingerprint}:{base64.b64encode(nonce + box).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """The plain text of a value that `seal` made.

        Raises Forbidden when another key sealed it (naming both fingerprints), Corrupt when it was altered.
        """
        other = sealed_with(sealed)
        if other != self.fingerprint:
            raise Forbidden(
                f"This credential was sealed with the key {other}, but the instance runs with the key "
                f"{self.fingerprint}. Put the old key back, or enter the credential again."
            )
        try:
            box = base64.b64decode(sealed.rpartition(":")[2], validate=True)
            return AESGCM(self.raw).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise Corrupt("A stored credential is damaged. Enter it again.") from None


def sealed_with(sealed: str) -> str:
    """The fingerprint of the key that sealed a value. Raises Corrupt when it is not a sealed value."""
    fingerprint, _, box = sealed.removeprefix(_SEALED).partition(":")
    if not sealed.startswith(_SEALED) or not fingerprint or not box:
        raise Corrupt("A stored credential is not in a form this version knows. Enter it again.")
    return fingerprint


def is_plain(text: str) -> bool:
    """Whether a value of a `Sealed` column is the readable form that portable backups hold."""
    return text.startswith(_PLAIN)


def to_plain(text: str) -> str:
    """Mark `text` as a readable credential of a portable backup (R-002-25)."""
    return _PLAIN + text


def from_plain(text: str) -> str:
    """The credential inside a value for which `is_plain` holds."""
    return text.removeprefix(_PLAIN)


def resolve_key(settings: Settings, paths: Paths) -> InstanceKey:
    """The instance key: from SECRET_ENCRYPTION_KEY, from `/config/keys/`, or made there (0600) on first boot.

    Raises InvalidInput when a key cannot be read as one, or when environment and file hold different ones (then
    both fingerprints are named and nothing is decided); Unavailable when the file cannot be read or written.
    """
    given = InstanceKey.parse(settings.secret_encryption_key) if settings.secret_encryption_key else None
    stored = _stored_key(paths.instance_key)
    if given and stored and given.fingerprint != stored.fingerprint:
        raise InvalidInput(
            f"Two different instance keys are present: SECRET_ENCRYPTION_KEY has the fingerprint {given.fingerprint}, "
            f"{paths.instance_key} has {stored.fingerprint}. Remove the one that is not meant."
        )
    found = given or stored
    if found is None:
        found = InstanceKey.new()
        with disk_errors(paths.instance_key):
            atomic_write(paths.instance_key, found.raw.hex().encode() + b"\n")
    return found


def cookie_key(paths: Paths) -> bytes:
    """The key that signs cookies and form tokens; made on first use, never part of a backup.

    Raises Unavailable when it cannot be read or written.
    """
    with disk_errors(paths.cookie_key):
        try:
            raw = bytes.fromhex(paths.cookie_key.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            raw = b""
        if len(raw) != KEY_BYTES:
            raw = secrets.token_bytes(KEY_BYTES)
            atomic_write(paths.cookie_key, raw.hex().encode())
    return raw


def _stored_key(path: Path) -> InstanceKey | None:
    with disk_errors(path):
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
    try:
        return InstanceKey.parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"{path} does not hold an instance key. {error.message}") from None


def _from_base64(text: str) -> bytes:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
