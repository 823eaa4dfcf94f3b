"""Files that a worker actor needs: a path if it runs on this machine, else the bytes."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

NodeFile = str | bytes


def to_node(path: Path, is_local: bool) -> NodeFile:
    """The file as it is passed to a node; `is_local` means that the node is this machine."""
    return str(path) if is_local else path.read_bytes()


def write_node_file(file: NodeFile, path: Path) -> Path:
    """Write the bytes, or link or copy the file, to `path`; returns `path`."""
    if isinstance(file, bytes):
        path.write_bytes(file)
    else:
        source = Path(file).resolve()
        with contextlib.suppress(OSError):
            os.link(source, path)
            return path
        shutil.copyfile(source, path)
    path.chmod(0o644)
    return path
