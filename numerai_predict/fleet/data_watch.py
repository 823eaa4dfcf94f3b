"""Stops a fleet run whose data were replaced while it used them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.fleet.errors import DataChanged
from numerai_predict.storage.file_watch import FileWatch

_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True)
class WatchedFile:
    """A local file of data that the user named; `sha256` is that of the copy that models get."""

    what: str
    path: Path
    sha256: str


class DataWatch:
    """Checks the user's data files once a second. Models get copies, which do not change."""

    def __init__(self, files: Iterable[WatchedFile]) -> None:
        self._files = [(each, FileWatch(each.path, each.sha256)) for each in files]
        self._next_check = 0.0

    def check(self, *, last: bool = False) -> None:
        """Check at most once a second; with `last`, check now and re-hash.

        Raises:
            DataChanged: a file has other bytes than the fleet run's copy, or is gone.
        """
        now = time.monotonic()
        if now < self._next_check and not last:
            return
        self._next_check = now + _INTERVAL_SECONDS
        for each, watch in self._files:
            if watch.has_changed(reread=last):
                raise DataChanged(each.what, each.path)
