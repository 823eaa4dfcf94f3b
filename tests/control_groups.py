"""Files of control groups, as the kernel shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_groups(folder: Path, own: str, files: Mapping[str, str]) -> tuple[Path, Path]:
    """Write files by their paths below the mount of the control groups.

    `own` is what `/proc/self/cgroup` says. Returns the mount and the file that has `own`.
    """
    mount = folder / "mount"
    mount.mkdir(exist_ok=True)
    for path, text in files.items():
        file = mount / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "own").write_text(own)
    return mount, folder / "own"
