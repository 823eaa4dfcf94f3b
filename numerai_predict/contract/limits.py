"""Resource limits of a model. The defaults are those of models hosted by the tournament."""

from __future__ import annotations

import re
from dataclasses import dataclass

HOSTED_MEMORY_BYTES = 4 * 1024**3
HOSTED_SECONDS = 600.0

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """Limits of a model process; `None` removes a limit.

    `memory_bytes` limits the resident memory of the process tree; `seconds` the wall time of
    loading and calling the model; `processes` the number of processes and threads at a time;
    `open_files` those of each process; `scratch_bytes` the size of each file in the scratch
    directory and of all together.
    """

    memory_bytes: int | None = HOSTED_MEMORY_BYTES
    seconds: float | None = HOSTED_SECONDS
    processes: int = 1_024
    open_files: int = 1_024
    scratch_bytes: int = 4 * 1024**3


def parse_size(text: str) -> int | None:
    """Bytes in a size in Docker's notation (`4g`, `512m`, `1.5GiB`); `none` removes the limit.

    Raises:
        ValueError: the text is not a size, or less than one byte.
    """
    if text.strip().lower() == "none":
        return None
    match = _SIZE.fullmatch(text.strip())
    size = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if size < 1:
        raise ValueError(f"expected a size like 4g or 512m, or none; found {text!r}")
    return size


def parse_seconds(text: str) -> float | None:
    """Seconds as a positive number; `none` removes the limit.

    Raises:
        ValueError: the text is not a positive, finite number.
    """
    if text.strip().lower() == "none":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"expected seconds like 600, or none; found {text!r}")
    return seconds


def format_size(size: float) -> str:
    """A readable size: `4.0 GiB`, `512 MiB`, `12.3 KiB`, `17 bytes`."""
    for unit, name in ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:.0f} bytes"


def format_clock(seconds: float) -> str:
    """A readable duration: `0:07`, `12:30`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
