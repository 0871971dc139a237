"""The examples an owner copies: they load, and name only what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from framerr.core import config
from framerr.core.errors import InvalidInput

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "config.example"
OPTIONS = {option.name: option for option in config.options()}
ASSIGNMENT = re.compile(r"^(# )?([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)


def assignments() -> list[tuple[bool, str, str]]:
    return [(not hidden, name, value) for hidden, name, value in ASSIGNMENT.findall((EXAMPLES / ".env").read_text())]


def test_every_option_is_in_the_example_and_nothing_else() -> None:
    """All but the folder, which the image sets, and limits that nobody needs on the first day."""
    named = {name.removesuffix("_FILE") for _, name, _ in assignments()}
    assert named <= set(OPTIONS)
    assert set(OPTIONS) - named == {"FRAMERR_CONFIG_DIR", "FRAMERR_ARCHIVE_LIMIT_GB"}


def test_the_example_loads_as_it_is() -> None:
    settings = config.load({name: value for shown, name, value in assignments() if shown})
    assert (settings.puid, settings.pgid, settings.time_zone_hint) == (1000, 1000, "Etc/UTC")


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for shown, name, value in assignments() if not shown and value and not name.endswith("_FILE")],
)
def test_a_hidden_line_is_valid_once_it_is_uncommented(name: str, value: str) -> None:
    config.load({name: value})


def test_an_invalid_value_would_be_noticed() -> None:
    """Guards the two tests above: loading does validate."""
    with pytest.raises(InvalidInput):
        config.load({"PORT": "many"})


@pytest.mark.parametrize("file", sorted(path.name for path in EXAMPLES.iterdir()))
def test_every_variable_that_an_example_mentions_exists(file: str) -> None:
    mentioned = set(re.findall(r"\bFRAMERR_[A-Z_]+[A-Z]\b", (EXAMPLES / file).read_text()))
    assert {name.removesuffix("_FILE") for name in mentioned} <= set(OPTIONS)


def test_compose_keeps_config_on_the_host_and_gives_up_every_other_privilege() -> None:
    """R-002-42, R-002-43: /config is mounted; the rest is what the image is tested with."""
    service = yaml.safe_load((EXAMPLES / "compose.yml").read_text())["services"]["framerr"]
    assert service["volumes"] == ["./config:/config"]
    assert service["env_file"] == ".env"
    assert service["ports"] == ["3001:3001"]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert sorted(service["cap_add"]) == ["CHOWN", "DAC_READ_SEARCH", "SETGID", "SETPCAP", "SETUID"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["stop_grace_period"].removesuffix("s")) > config.load({}).shutdown_grace


def test_traefik_routes_both_ways_to_the_service_and_buffers_nothing() -> None:
    http = yaml.safe_load((EXAMPLES / "traefik.yml").read_text())["http"]
    assert {router["service"] for router in http["routers"].values()} == set(http["services"])
    assert http["services"]["framerr"]["loadBalancer"]["servers"] == [{"url": "http://framerr:3001"}]
    assert [list(middleware) for middleware in http["middlewares"].values()] == [["headers"]]


def test_no_visitor_chooses_the_path_below_which_the_pages_are() -> None:
    """From a trusted proxy X-Forwarded-Prefix is believed, so each snippet removes what came from outside."""
    http = yaml.safe_load((EXAMPLES / "traefik.yml").read_text())["http"]
    sent = http["middlewares"]["framerr-headers"]["headers"]["customRequestHeaders"]
    assert sent == {"X-Forwarded-Prefix": ""}
    assert all(router["middlewares"] == ["framerr-headers"] for router in http["routers"].values())
    assert 'proxy_set_header X-Forwarded-Prefix "";' in (EXAMPLES / "nginx.conf").read_text()
    caddy = (EXAMPLES / "Caddyfile").read_text()
    assert caddy.count("header_up -X-Forwarded-Prefix") == caddy.count("reverse_proxy")


def test_nginx_takes_an_upload_piece_and_streams_downloads(tmp_path: Path) -> None:
    text = (EXAMPLES / "nginx.conf").read_text()
    assert "client_max_body_size 16m;" in text
    assert "proxy_max_temp_file_size 0;" in text
    assert text.count("{") == text.count("}")
    if nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        whole = tmp_path / "nginx.conf"
        whole.write_text(f"pid {tmp_path}/pid; events {{}} http {{ include {EXAMPLES}/nginx.conf; }}")
        subprocess.run([nginx, "-t", "-q", "-c", whole], check=True)


def test_caddy_takes_an_upload_piece_and_passes_the_path_on() -> None:
    text = (EXAMPLES / "Caddyfile").read_text()
    assert text.count("max_size 16MB") == text.count("reverse_proxy 127.0.0.1:3001") == 2
    assert "handle_path" not in text
    assert text.count("{") == text.count("}")
    if caddy := shutil.which("caddy"):
        subprocess.run([caddy, "adapt", "--adapter", "caddyfile", "--config", EXAMPLES / "Caddyfile"],
                       check=True, capture_output=True)  # fmt: skip
