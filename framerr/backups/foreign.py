"""Recognising what is not a backup of this product, so that the refusal can name it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

# A program, and files at the top of its archive that no other one has together.
_PROGRAMS: tuple[tuple[str, frozenset[str]], ...] = (
    ("changedetection.io", frozenset({"url-watches.json"})),
    ("Grafana", frozenset({"grafana.db"})),
    ("Home Assistant", frozenset({"backup.json", "homeassistant.tar.gz"})),
    ("linkding", frozenset({"db.sqlite3", "favicons"})),
    ("Prowlarr", frozenset({"prowlarr.db", "config.xml"})),
    ("Radarr", frozenset({"radarr.db", "config.xml"})),
    ("Sonarr", frozenset({"sonarr.db", "config.xml"})),
    ("Tautulli", frozenset({"tautulli.db"})),
    ("Uptime Kuma", frozenset({"kuma.db"})),
    ("Vaultwarden", frozenset({"db.sqlite3", "rsa_key.pem"})),
    ("WordPress", frozenset({"wp-config.php"})),
    ("Microsoft Office", frozenset({"[Content_Types].xml"})),
    ("Java", frozenset({"META-INF"})),
)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"SQLite format 3\0", "a bare SQLite database, not an archive. Choose the .zip file that was made as a backup"),
    (b"\x1f\x8b", "a .gz or .tar.gz archive. Framerr's backups are .zip files"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive. Unpack it and choose the .zip file inside"),
    (b"Rar!", "a RAR archive. Unpack it and choose the .zip file inside"),
    (b"age-encryption.org/", "an encrypted age file. Decrypt it first and choose the .zip file inside"),
    (b"%PDF", "a PDF document. Choose the .zip file that was made as a backup"),
    (b"\x89PNG", "a picture. Choose the .zip file that was made as a backup"),
    (b"<", "a web page or an XML document, perhaps an error page saved instead of the download. Download it again"),
)


def program_of(names: Collection[str]) -> str | None:
    """The program that made an archive with these members, if it is one of those known here."""
    top = {name.split("/", 1)[0] for name in names}
    return next((program for program, marks in _PROGRAMS if marks <= top), None)


def kind_of(path: Path) -> str | None:
    """What a file that is no ZIP is, as the rest of the sentence "This is …"; None when unknown. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "an empty file. Copy or upload it again"
    if not head.strip(b"\0"):
        return "a file of zeros: a copy that never finished. Copy or upload it again"
    return next((words for magic, words in _MAGIC if head.lstrip()[: len(magic)] == magic), None)
