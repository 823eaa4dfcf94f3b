"""Imports the libraries that models use and reads the live data, before any model runs."""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.limits import format_size
from numerai_predict.fleet.worker.inherited_folders import InheritedFolders
from numerai_predict.fleet.worker.messages import OVERHEAD_BYTES
from numerai_predict.resources.memory import limit_heap_growth
from numerai_predict.runner.live_data import Shape, read_shape
from numerai_predict.sandbox.scratch import scratch_variables

# Those of them that are installed. A library that starts threads when it is imported must not be
# added: a lock that a thread holds while the zygote forks stays locked in the fork for ever.
_LIBRARIES = (
    "numpy",
    "pandas",
    "pyarrow",
    "pyarrow.parquet",
    "cloudpickle",
    "zstandard",
    "scipy.stats",
    "scipy.sparse",
    "sklearn",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "lightgbm",
    "xgboost",
    "catboost",
)
# Threads of pyarrow that are safe: its allocator handles its locks around a fork, and the event
# loop of its S3 client (before pyarrow 15) is idle.
_SAFE_THREADS = ("jemalloc_bg_thd", "AwsEventLoop")
# What supervisors and model processes import: once here, not once per model.
_OWN_MODULES = (
    "numerai_predict.runner.validation.predictions",
    "numerai_predict.runner.preflight",
    "numerai_predict.runner.child.prediction_encoder",
    "numerai_predict.runner.child.model_loader",
    "numerai_predict.fleet.worker.supervisor",
)


@dataclass(frozen=True)
class Preloaded:
    """The data frames by the paths they were read from, the shape of the live data, the libraries.

    `seconds` is the time that preloading took, `folders` are those that the libraries keep.
    """

    frames: Mapping[str, Any]
    live: Shape
    libraries: list[str]
    seconds: float
    folders: InheritedFolders


def preload(dataset: str, benchmarks: str | None) -> Preloaded:
    """Import the libraries and read the data, in this thread alone.

    Raises:
        RuntimeError: something started threads, so that a fork could not be sandboxed.
        DatasetUnavailable: the live data is not a parquet file, or pandas cannot read the data
            within `OVERHEAD_BYTES`.
    """
    started = time.perf_counter()
    folder = tempfile.mkdtemp(prefix="libraries-")
    os.environ.update(scratch_variables(folder))  # no library looks elsewhere
    libraries = [name for name in _LIBRARIES if _import(name)]
    for name in _OWN_MODULES:
        importlib.import_module(name)
    frames = {path: _read(path) for path in (dataset, benchmarks) if path is not None}
    shape = read_shape(Path(dataset), dataset)
    _require_no_threads()
    folders = InheritedFolders(folder)
    return Preloaded(frames, shape, libraries, time.perf_counter() - started, folders)


def _require_no_threads() -> None:
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    others = [name for name in names if not name.startswith(_SAFE_THREADS)]
    if len(others) > 1:
        found = ", ".join(others)
        raise RuntimeError(f"expected no threads before a model runs, found {found}")


def _import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception:  # a broken library fails the model that needs it, not the worker
        return False
    return True


def _read(path: str) -> Any:
    """The frame that `pandas.read_parquet` returns, read without starting threads."""
    import pyarrow.parquet as pq

    try:
        with limit_heap_growth(OVERHEAD_BYTES):
            # memory_map, because pyarrow starts threads for buffered reads.
            file = pq.ParquetFile(path, memory_map=True, pre_buffer=False)
            return file.read(use_threads=False).to_pandas(use_threads=False)
    except Exception as error:
        raise DatasetUnavailable(
            f"expected data that pandas can read within {format_size(OVERHEAD_BYTES)}, found "
            f"{type(error).__name__} for {Path(path).name}",
            "use the tournament's own file as it was downloaded",
        ) from error
