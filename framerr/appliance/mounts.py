"""What the kernel says about the file systems below `/config`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "davfs"})
LAYERED = frozenset({"overlay", "aufs", "fuse.fuse-overlayfs"})
_OCTAL = re.compile(r"\\([0-7]{3})")
_ANONYMOUS = re.compile(r"/volumes/[0-9a-f]{64}(/_data)?$")


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo: where, of which type, from which device, and which folder of it is shown."""

    point: Path
    kind: str
    source: str
    root: str

    @property
    def is_remote(self) -> bool:
        """Whether locks and syncs depend on a network or a FUSE program, where SQLite is not safe."""
        return self.kind in NETWORK or (self.kind.startswith("fuse") and self.kind not in LAYERED)

    @property
    def is_anonymous(self) -> bool:
        """Whether it is a container volume nobody named: it is left behind when the container is made anew."""
        return _ANONYMOUS.search(self.root) is not None


def parse(text: str) -> list[Mount]:
    """Read the text of a mountinfo file; lines that do not look like one are skipped."""
    mounts = []
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        fields, facts = left.split(), right.split()
        if separator and len(fields) >= 6 and len(facts) >= 2:
            point, root = _plain(fields[4]), _plain(fields[3])
            mounts.append(Mount(Path(point), facts[0], _plain(facts[1]), root))
    return mounts


def read() -> list[Mount]:
    """The mounts this process sees; empty where the kernel does not tell."""
    try:
        return parse(MOUNTINFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def mount_of(path: Path, mounts: list[Mount]) -> Mount | None:
    """The mount that `path` lies on: the deepest one, and of those on one point the last."""
    real = Path(os.path.realpath(path))
    around = [mount for mount in mounts if real.is_relative_to(mount.point)]
    return max(reversed(around), key=lambda mount: len(mount.point.parts), default=None)


def is_shared(path: Path, mounts: list[Mount]) -> bool:
    """Whether other instances may have this folder too: it is a mount of its own, or a link to somewhere else."""
    real = Path(os.path.realpath(path))
    return real != Path(os.path.realpath(path.parent), path.name) or any(mount.point == real for mount in mounts)


def is_container(mounts: list[Mount]) -> bool:
    """Whether the root file system is that of a container."""
    root = mount_of(Path("/"), mounts)
    marked = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
    return marked or (root is not None and root.kind in LAYERED)


def unkept(path: Path, mounts: list[Mount]) -> str | None:
    """Why what is written to `path` may be gone when the container is made anew; None when nothing says so."""
    mount = mount_of(path, mounts)
    if mount is None or not is_container(mounts):
        return None
    if mount.point == Path("/"):
        return (
            f"{path} is not a mount: everything in it is lost when this container is removed. Start it with a volume, "
            f"for example: -v framerr:{path}"
        )
    if mount.is_anonymous:
        return (
            f"{path} is a volume without a name: a new container starts with an empty one. Start it with a named "
            f"volume, for example: -v framerr:{path}"
        )
    if mount.kind == "tmpfs":
        return f"{path} is a tmpfs, in memory only: everything in it is lost when the container stops."
    return None


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
