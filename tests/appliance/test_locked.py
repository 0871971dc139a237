"""A key that is not the one that sealed the credentials is noticed at boot, and nothing is decided by guessing."""

from __future__ import annotations

from pathlib import Path

from framerr.appliance import Appliance, build
from framerr.core.crypto import InstanceKey, resolve_key
from framerr.integrations.models import Integration
from framerr.settings import instance
from tests.factories import NOW, appliance_in, make_folder, make_settings


def rebuilt(appliance: Appliance, key: InstanceKey) -> str | None:
    again = build(appliance.settings, appliance.paths, key, NOW)
    again.db.close()
    return again.locked


def add_credential(appliance: Appliance, key: InstanceKey, name: str = "Shop") -> None:
    sealed = key.seal('{"token": "abc"}', "integrations.credential")
    with appliance.db.writing() as session:
        session.add(Integration(kind="framer", name=name, config={}, credential=sealed, created_at=NOW))


def recorded(appliance: Appliance) -> str | None:
    with appliance.db.writing() as session:
        return instance.local(session).key_fingerprint


def test_a_first_key_is_recorded(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        assert appliance.locked is None
        assert recorded(appliance) == appliance.key.fingerprint


def test_another_key_with_nothing_sealed_is_adopted(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        other = InstanceKey.new()
        assert rebuilt(appliance, other) is None
        assert recorded(appliance) == other.fingerprint


def test_another_key_with_credentials_locks_and_names_both_keys(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        add_credential(appliance, appliance.key)
        other = InstanceKey.new()
        sentence = rebuilt(appliance, other)
        assert sentence is not None
        assert appliance.key.fingerprint in sentence
        assert other.fingerprint in sentence
        assert "SECRET_ENCRYPTION_KEY" in sentence
        assert recorded(appliance) == appliance.key.fingerprint


def test_putting_the_key_back_unlocks(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        add_credential(appliance, appliance.key)
        assert rebuilt(appliance, InstanceKey.new()) is not None
        assert rebuilt(appliance, appliance.key) is None


def test_one_credential_of_another_key_is_counted_as_one(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        add_credential(appliance, appliance.key, "Mine")
        add_credential(appliance, InstanceKey.new(), "Stranger")
        sentence = rebuilt(appliance, appliance.key)
        assert sentence is not None
        assert sentence.startswith("1 credential was sealed")


def test_a_damaged_credential_is_no_matter_of_keys(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        with appliance.db.writing() as session:
            session.add(Integration(kind="framer", name="Shop", config={}, credential="garbage", created_at=NOW))
        assert rebuilt(appliance, InstanceKey.new()) is None


def test_the_zone_is_the_one_that_is_set(tmp_path: Path) -> None:
    with appliance_in(tmp_path) as appliance:
        assert appliance.zone().key == "UTC"


def test_a_prepared_folder_is_used_as_it_is(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    paths = make_folder(settings)
    key = resolve_key(settings, paths)
    first = build(settings, paths, key, NOW)
    add_credential(first, key)
    first.db.close()
    assert make_folder(settings) == paths
    again = build(settings, paths, key, NOW)
    again.db.close()
    assert again.locked is None
