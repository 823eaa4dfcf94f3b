"""Removes the scratch directory of a model process, however deep the model made it."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def remove_scratch(scratch: tempfile.TemporaryDirectory[str]) -> None:
    """Remove the directory and all that is in it; the model's processes have ended."""
    try:
        scratch.cleanup()
    except RecursionError:  # `shutil.rmtree` calls itself once per level
        _flatten(scratch.name)
        scratch.cleanup()


def _flatten(path: str) -> None:
    """Move all directories below `path` into it, without following links."""
    root = os.open(path, _DIRECTORY)
    try:
        while names := _directories(root):
            for name in names:
                _empty_into(root, name)
    finally:
        os.close(root)


def _directories(root: int) -> list[str]:
    with os.scandir(root) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _empty_into(root: int, name: str) -> None:
    """Move the directories in one of `root` into `root`, remove its files and itself."""
    directory = os.open(name, _DIRECTORY, dir_fd=root)
    try:
        with os.scandir(directory) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    unique = secrets.token_hex(8)
                    os.rename(entry.name, unique, src_dir_fd=directory, dst_dir_fd=root)
                else:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(entry.name, dir_fd=directory)
    finally:
        os.close(directory)
    os.rmdir(name, dir_fd=root)
