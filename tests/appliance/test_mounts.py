"""What the kernel's list of mounts says of a folder, on literal lines of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from framerr.appliance.mounts import Mount, is_container, is_shared, mount_of, parse, unkept

ROOT = "22 1 0:21 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u"
VOLUME = "30 22 8:1 /var/lib/docker/volumes/framerr-config/_data /config rw,relatime master:1 - ext4 /dev/sda1 rw"
ANONYMOUS = f"30 22 8:1 /var/lib/docker/volumes/{'ab' * 32}/_data /config rw - ext4 /dev/sda1 rw"
NFS = "31 22 0:50 / /config rw,relatime - nfs4 nas:/share rw,vers=4.2"
SPACED = r"32 22 8:1 / /mnt/my\040disk rw - ext4 /dev/sdb1 rw"


def on(*lines: str) -> list[Mount]:
    return parse("\n".join(lines))


def test_a_line_is_read_with_its_escapes() -> None:
    assert on(SPACED) == [Mount(Path("/mnt/my disk"), "ext4", "/dev/sdb1", "/")]


def test_lines_of_another_form_are_skipped() -> None:
    assert on("", "nonsense", "1 2 3 - ext4") == []


def test_the_deepest_mount_counts_and_of_one_point_the_last() -> None:
    mounts = on(ROOT, VOLUME, NFS)
    found = mount_of(Path("/config/data"), mounts)
    assert found is not None
    assert found.kind == "nfs4"
    root = mount_of(Path("/elsewhere"), mounts)
    assert root is not None
    assert root.point == Path("/")


@pytest.mark.parametrize(
    ("kind", "remote"),
    [("ext4", False), ("overlay", False), ("nfs", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True)],
)
def test_remote_file_systems_are_known(kind: str, remote: bool) -> None:
    assert Mount(Path("/config"), kind, "x", "/").is_remote is remote


def test_a_folder_without_a_mount_in_a_container_is_not_kept() -> None:
    """R-002-42: what is not on a volume goes with the container, so boot says so."""
    warning = unkept(Path("/config"), on(ROOT))
    assert warning is not None
    assert warning.startswith("/config is not a mount")


def test_a_volume_without_a_name_is_not_kept() -> None:
    warning = unkept(Path("/config"), on(ROOT, ANONYMOUS))
    assert warning is not None
    assert warning.startswith("/config is a volume without a name")


def test_a_named_volume_is_kept() -> None:
    assert unkept(Path("/config"), on(ROOT, VOLUME)) is None


def test_an_overlay_root_is_a_container() -> None:
    assert is_container(on(ROOT))


def test_a_folder_that_is_a_mount_or_a_link_may_be_shared(tmp_path: Path) -> None:
    mounts = on(ROOT, VOLUME, "33 30 0:51 / /config/backups rw - nfs4 nas:/share rw")
    assert is_shared(Path("/config/backups"), mounts)
    assert not is_shared(Path("/config/data"), mounts)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert is_shared(tmp_path / "link", [])
    assert not is_shared(tmp_path / "backups", [])
