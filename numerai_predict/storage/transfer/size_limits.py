"""Limits of what a fetch writes: the largest sizes, and the disk space that stays free.

An endless body, or one that unpacks to a multiple of its size, must not fill the disk of the
machine. A limit is checked while bytes arrive, whatever length the server declares.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.errors import FetchFailed
from numerai_predict.contract.limits import format_size, parse_size

FETCHED_VARIABLE = "NUMERAI_MAX_FETCHED_SIZE"
UNPACKED_VARIABLE = "NUMERAI_MAX_UNPACKED_SIZE"
VARIABLES = (FETCHED_VARIABLE, UNPACKED_VARIABLE)

_DEFAULTS = {FETCHED_VARIABLE: 32 * 1024**3, UNPACKED_VARIABLE: 64 * 1024**3}
_FREE_BYTES = 256 * 1024**2
_FREE_SHARE = 0.05  # of a small file system, such as a tmpfs of a container
_BYTES_BETWEEN_LOOKS = 16 * 1024**2


@dataclass
class SizeCheck:
    """Checks the size of one file in `folder` while it is written.

    `largest` is in bytes, `None` for no limit; `variable` is the environment variable that sets
    it.
    """

    source: str
    folder: Path
    variable: str
    largest: int | None
    _looked_at: int = 0

    @classmethod
    def of(cls, variable: str, source: str, folder: Path) -> SizeCheck:
        """The check with the limit of the environment variable.

        Raises:
            FetchFailed: the variable is not a size.
        """
        text = os.environ.get(variable)
        try:
            largest = parse_size(text) if text else _DEFAULTS[variable]
        except ValueError as error:
            raise FetchFailed(f"{variable}: {error}", f"correct or unset {variable}") from None
        return cls(source, folder, variable, largest)

    def announce(self, total: int | None) -> None:
        """Check a declared size before the first byte.

        Raises:
            FetchFailed: the file would be too large for the limit or the disk.
        """
        self._looked_at = 0
        if total is not None:
            self._require_size(total)
            self._require_free(total)

    def update(self, size: int) -> None:
        """Check the size that the file has now.

        Raises:
            FetchFailed: the file is too large, or the disk is nearly full.
        """
        self._require_size(size)
        if size - self._looked_at >= _BYTES_BETWEEN_LOOKS:
            self._looked_at = size
            self._require_free(0)

    def _require_size(self, size: int) -> None:
        if self.largest is not None and size > self.largest:
            raise FetchFailed(
                f"expected at most {format_size(self.largest)} from {self.source}, found more",
                f"set {self.variable} to a larger size if this size is correct",
            )

    def _require_free(self, more: int) -> None:
        usage = shutil.disk_usage(self.folder)
        reserve = min(_FREE_BYTES, int(usage.total * _FREE_SHARE))
        if usage.free - more < reserve:
            needed = f"{format_size(more)} and a reserve" if more else "a reserve"
            raise FetchFailed(
                f"expected disk space for {self.source} ({needed} of {format_size(reserve)}), "
                f"found {format_size(usage.free)} free",
                "free space on the disk that holds the temporary files (TMPDIR), or name another",
            )
