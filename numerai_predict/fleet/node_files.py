"""Files that a worker actor needs: a path if it runs on this machine, else the bytes."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numerai_predict.contract.errors import ModelUnavailable
from numerai_predict.storage.file_watch import FileWatch
from numerai_predict.storage.files import resolve_links

NodeFile = str | bytes


def to_node(path: Path, is_local: bool) -> NodeFile:
    """The file as it is passed to a node; `is_local` means that the node is this machine."""
    return str(path) if is_local else path.read_bytes()


def write_node_file(file: NodeFile, path: Path) -> Path:
    """Write the bytes, or link or copy the file, to `path`; returns `path`."""
    if isinstance(file, bytes):
        path.write_bytes(file)
    else:
        source = resolve_links(Path(file))
        with contextlib.suppress(OSError):
            os.link(source, path)
            return path
        shutil.copyfile(source, path)
    path.chmod(0o644)
    return path


@contextmanager
def unchanged(path: Path, sha256: str | None) -> Iterator[None]:
    """Check before and after the block that the file has the bytes with this hash.

    Raises:
        ModelUnavailable: it has others.
    """
    watch = None if sha256 is None else FileWatch(path, sha256)
    _require_unchanged(watch)
    yield
    _require_unchanged(watch)


def _require_unchanged(watch: FileWatch | None) -> None:
    if watch is not None and watch.has_changed():
        raise ModelUnavailable(
            f"expected the model with SHA-256 {watch.sha256}, found that its file changed since "
            "the fleet run read it",
            "start the same command again to run the new file",
        )
