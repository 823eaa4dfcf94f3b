"""The lists of users and groups that a model sees in its private root, with its own in them.

Programs such as `whoami`, and libraries in other processes, look the own user up there.
"""

from __future__ import annotations

import os

NAME = "model"


def lists_with_own_user(owner: tuple[int, int] | None, home: str) -> dict[str, bytes]:
    """The contents of the lists that lack the user or group of the model, by path.

    `owner` is the user and group of the model, `None` for those of the caller.
    """
    user, group = owner if owner is not None else (os.geteuid(), os.getegid())
    entries = {
        "/etc/passwd": (user, f"{NAME}:x:{user}:{group}::{home}:/usr/sbin/nologin\n"),
        "/etc/group": (group, f"{NAME}:x:{group}:\n"),
    }
    return {
        path: content + entry.encode()
        for path, (number, entry) in entries.items()
        if (content := _content(path)) is not None and not _lists(content, number)
    }


def _content(path: str) -> bytes | None:
    """The lines of a list; a path that leads elsewhere is not replaced."""
    if os.path.realpath(path) != path:
        return None
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return None
    return content if not content or content.endswith(b"\n") else content + b"\n"


def _lists(content: bytes, number: int) -> bool:
    """Whether the third field of a line is the number."""
    fields = (line.split(b":") for line in content.splitlines())
    return any(len(field) > 2 and field[2] == str(number).encode() for field in fields)
