"""Deploy-time settings: read once from the environment, validated together, frozen.

Nothing reads the environment afterwards. What a person edits in the pages is not here but in `settings.schema`; no
value is both. Every secret can also come from a file named by `NAME_FILE`.
"""

# ruff: noqa: RUF009 - a dataclass field built by a function is still a field
from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from framerr.core.errors import InvalidInput

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LogFormat = Literal["json", "human"]
SETUP_CODE = re.compile(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Option:
    """One environment variable: how its text becomes a value, and what the documentation says of it."""

    name: str
    help: str
    parse: Callable[[str], Any]
    secret: bool = False


def _option(name: str, default: Any, parse: Callable[[str], Any], help: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"option": Option(name, help, parse, secret)})


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"must be a whole number from {low} to {high}") from None
        if not low <= value <= high:
            raise ValueError(f"must be from {low} to {high}")
        return value

    return parse


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for value in allowed:
            if text.casefold() == value.casefold():
                return value
        raise ValueError(f"must be one of: {', '.join(allowed)}")

    return parse


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part, strict=False) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"must be addresses or networks, such as 172.16.0.0/12: {error}") from None


def _base_path(text: str) -> str:
    path = "/" + text.strip("/")
    if path == "/":
        return ""
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path) or "/." in path:
        raise ValueError("must be a path such as /framerr")
    return path


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be a full address such as https://framerr.example.com")
    return text.rstrip("/")


def _setup_code(text: str) -> str:
    if text.casefold() == "off":
        return "off"
    code = text.strip().upper()
    if not SETUP_CODE.fullmatch(code):
        raise ValueError("must look like ABCD-2345 (letters without I and O, digits 2 to 9), or off")
    return code


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone name such as Europe/Berlin") from None
    return text


def _folder(text: str) -> Path:
    return Path(text).absolute()


@dataclass(frozen=True)
class Settings:
    """Everything the environment decides. Build it with `load`; `repr` never shows a secret."""

    config_dir: Path = _option(
        "FRAMERR_CONFIG_DIR",
        Path("/config"),
        _folder,
        "The folder that holds everything. Defaults to /config, or ./config in a checkout.",
    )
    host: str = _option("FRAMERR_HOST", "0.0.0.0", str, "The address to listen on.")  # noqa: S104 - a container must listen to its network
    port: int = _option("PORT", 3001, _whole(1, 65535), "The port to listen on.")
    puid: int | None = _option(
        "PUID", None, _whole(0, 2**31), "The user id that owns /config (used by the container's entrypoint)."
    )
    pgid: int | None = _option(
        "PGID", None, _whole(0, 2**31), "The group id that owns /config (used by the container's entrypoint)."
    )
    time_zone_hint: str | None = _option(
        "TZ", None, _zone, "Pre-fills the time zone in the setup wizard; the instance's zone is a setting."
    )
    secret_encryption_key: str | None = _option(
        "SECRET_ENCRYPTION_KEY",
        None,
        str,
        "The instance key that seals credentials: 32 bytes as hex or base64. Made on first boot when not given.",
        secret=True,
    )
    setup_code: str | None = _option(
        "FRAMERR_SETUP_CODE",
        None,
        _setup_code,
        "The code the setup wizard asks for (ABCD-2345), or off. Made on first boot when not given.",
        secret=True,
    )
    trusted_proxies: tuple[Network, ...] = _option(
        "FRAMERR_TRUSTED_PROXIES",
        (),
        _networks,
        "Addresses of reverse proxies whose X-Forwarded-* headers are believed. Empty: none are.",
    )
    base_path: str = _option(
        "FRAMERR_BASE_PATH", "", _base_path, "The path below which a reverse proxy serves the appliance."
    )
    base_url: str | None = _option(
        "FRAMERR_BASE_URL", None, _base_url, "The address people use, for links that leave the appliance."
    )
    log_format: LogFormat = _option(
        "FRAMERR_LOG_FORMAT", "human", _choice("human", "json"), "human for people, json for log collectors."
    )
    log_level: str = _option("FRAMERR_LOG_LEVEL", "INFO", _choice(*LEVELS), "The least severe level that is logged.")
    shutdown_grace: int = _option(
        "FRAMERR_SHUTDOWN_GRACE",
        8,
        _whole(1, 600),
        "Seconds that running jobs get to reach a safe point when the appliance is stopped.",
    )
    archive_limit_gb: int = _option(
        "FRAMERR_ARCHIVE_LIMIT_GB",
        64,
        _whole(1, 16384),
        "The largest uploaded or unpacked backup, in GB; protects the disk against forged archives.",
    )


def options() -> list[Option]:
    """Every environment variable the product reads, in the order of the reference page."""
    return [item.metadata["option"] for item in fields(Settings)]


def load(environ: Mapping[str, str]) -> Settings:
    """Build the settings from environment variables, empty ones counting as absent.

    Raises InvalidInput with one sentence per fault, all at once, each naming its variable.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for item in fields(Settings):
        option: Option = item.metadata["option"]
        try:
            text = _text_of(option, environ)
            if text is not None:
                values[item.name] = option.parse(text)
        except ValueError as error:
            faults.append(f"{option.name} {error}.")
    if faults:
        raise InvalidInput(" ".join(faults))
    if "config_dir" not in values and not Path("/config").is_dir() and Path("config.example").is_dir():
        values["config_dir"] = Path("config").absolute()
    return Settings(**values)


def _text_of(option: Option, environ: Mapping[str, str]) -> str | None:
    text = environ.get(option.name, "").strip()
    named_file = environ.get(f"{option.name}_FILE", "").strip() if option.secret else ""
    if not named_file:
        return text or None
    if text:
        raise ValueError(f"and {option.name}_FILE are both set; keep one of them")
    try:
        return Path(named_file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"could not be read from the file {named_file}: {error}") from None
