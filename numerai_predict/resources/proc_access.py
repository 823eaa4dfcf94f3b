"""Reads `/proc` with the rights of a model's user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from numerai_predict.sandbox.identity import Identity
from numerai_predict.sandbox.syscalls import set_file_system_user


@contextmanager
def as_user(identity: Identity) -> Iterator[None]:
    """Read `/proc` as the model's user: in a container not even root may read it otherwise."""
    if identity.user is None or identity.group is None:
        yield
        return
    set_file_system_user(identity.user, identity.group)
    try:
        yield
    finally:
        set_file_system_user(os.geteuid(), os.getegid())
