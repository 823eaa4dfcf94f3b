"""Reads data without a model, to find out which of the two made a run fail."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from numerai_predict.contract.bootstrap import bootstrap_argv
from numerai_predict.contract.errors import DatasetUnavailable, OutOfMemory
from numerai_predict.contract.limits import format_size
from numerai_predict.runner.child.data_probe import ProbeExit

_PROBE = "numerai_predict.runner.child.data_probe:main"
_SECONDS = 60.0


def probe(path: Path, limit_bytes: int | None) -> ProbeExit | None:
    """Whether pandas can read a parquet file within the memory limit, in a process of its own.

    None if the process could not say: it could not start, was too slow, or crashed.
    """
    argv = bootstrap_argv(_PROBE, str(path), str(limit_bytes or 0))
    try:
        ended = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if ended.returncode == -signal.SIGKILL:
        # The kernel ends what exceeds the memory of a container.
        return ProbeExit.TOO_LARGE
    return ProbeExit(ended.returncode) if ended.returncode in tuple(ProbeExit) else None


@contextmanager
def detect_oversized_data(files: Mapping[Path, str], limit_bytes: int | None) -> Iterator[None]:
    """Report oversized data instead of `OutOfMemory`.

    Data are oversized if they exceed the memory limit without the model.

    `files` are the data that the model's process reads in the block, with the names to show.

    Raises:
        DatasetUnavailable: in place of `OutOfMemory`.
    """
    try:
        yield
    except OutOfMemory as error:
        for path, source in files.items():
            if probe(path, limit_bytes) is ProbeExit.TOO_LARGE:
                raise too_large(source, limit_bytes) from error
        raise


def too_large(source: str, limit_bytes: int | None) -> DatasetUnavailable:
    """The error for data that do not fit into the memory limit of a model."""
    limit = "memory" if limit_bytes is None else f"the memory limit of {format_size(limit_bytes)}"
    return DatasetUnavailable(
        f"expected data that fit into {limit}, found that {source} cannot be read within it, "
        "without any model",
        "use the tournament's own file as it was downloaded, or raise --memory",
    )
