"""Which files of a container are lost with it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from numerai_predict.storage.files import resolve_links

_MOUNTS = Path("/proc/self/mountinfo")
# A tmpfs elsewhere may be a directory of the host.
_OWN_TMPFS = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108


def is_lost_with_container(
    directory: Path, mounts: Path = _MOUNTS, in_container: bool | None = None
) -> bool:
    """Whether this is a container of an image, and the directory is in no mounted file system.

    Other containers, such as those that people develop in, may live long.
    """
    is_image = bool(os.environ.get("NUMERAI_PREDICT_IMAGE"))
    if not (is_image if in_container is None else in_container):
        return False
    found = _mount_of(resolve_links(directory), mounts)
    if found is None:
        return False
    point, file_system = found
    return point == "/" or (file_system == "tmpfs" and point in _OWN_TMPFS)


def _mount_of(directory: Path, mounts: Path) -> tuple[str, str] | None:
    """The mount point that holds the directory, and its file system; the last mount counts."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    best: tuple[str, str] | None = None
    for line in lines:
        before, _, after = line.partition(" - ")
        point, file_system = _unescape(before.split()[4]), after.split()[0]
        if directory.is_relative_to(point) and (best is None or len(point) >= len(best[0])):
            best = point, file_system
    return best


def _unescape(text: str) -> str:
    """The path of a mount point, whose spaces are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
