"""The environment becomes one frozen value, or one clear refusal."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from framerr.core.config import load, options
from framerr.core.errors import InvalidInput


def test_nothing_set_gives_the_documented_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    settings = load({})

    assert (settings.config_dir, settings.port, settings.setup_code) == (Path("/config"), 3001, None)
    assert settings.trusted_proxies == ()


def test_a_checkout_keeps_its_folder_beside_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-002-41: in development the backups lie below the checkout, not below /config."""
    (tmp_path / "config.example").mkdir()
    monkeypatch.chdir(tmp_path)

    assert load({}).config_dir == tmp_path / "config"


def test_a_value_is_read_from_text() -> None:
    settings = load(
        {
            "FRAMERR_CONFIG_DIR": "/srv/framerr",
            "PORT": "8080",
            "TZ": "Europe/Berlin",
            "FRAMERR_TRUSTED_PROXIES": "10.0.0.1, 172.16.0.0/12",
            "FRAMERR_BASE_PATH": "framerr/",
            "FRAMERR_BASE_URL": "https://a.example/framerr/",
            "FRAMERR_SETUP_CODE": "abcd-2345",
        }
    )

    assert settings.config_dir == Path("/srv/framerr")
    assert settings.port == 8080
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.1/32"), ipaddress.ip_network("172.16.0.0/12"))
    assert (settings.base_path, settings.base_url) == ("/framerr", "https://a.example/framerr")
    assert settings.setup_code == "ABCD-2345"


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        load({"PORT": "http", "TZ": "Mars/Olympus", "FRAMERR_BASE_PATH": "/../x", "FRAMERR_SETUP_CODE": "1234"})

    for name in ("PORT", "TZ", "FRAMERR_BASE_PATH", "FRAMERR_SETUP_CODE"):
        assert name in refused.value.message


@pytest.mark.parametrize("port", ["0", "65536", "-1", "3001.5"])
def test_a_port_outside_its_range_is_refused(port: str) -> None:
    with pytest.raises(InvalidInput, match="PORT"):
        load({"PORT": port})


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("a" * 64 + "\n")

    assert load({"SECRET_ENCRYPTION_KEY_FILE": str(secret)}).secret_encryption_key == "a" * 64


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("a" * 64)

    with pytest.raises(InvalidInput, match="both set"):
        load({"SECRET_ENCRYPTION_KEY": "b" * 64, "SECRET_ENCRYPTION_KEY_FILE": str(secret)})


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere"):
        load({"SECRET_ENCRYPTION_KEY_FILE": str(tmp_path / "nowhere")})


def test_the_text_of_the_settings_holds_no_secret() -> None:
    settings = load({"SECRET_ENCRYPTION_KEY": "5" * 64, "FRAMERR_SETUP_CODE": "WXYZ-6789"})

    assert "5555" not in repr(settings)
    assert "WXYZ" not in repr(settings)


def test_every_option_explains_itself() -> None:
    assert all(option.help.endswith(".") and option.name.isupper() for option in options())
