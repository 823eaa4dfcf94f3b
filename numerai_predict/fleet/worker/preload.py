"""What every model finds in memory: the libraries that models use, and the data of the round."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.runner.live_data import Shape, read_shape

# Of these, what is there. A library that starts threads when it is imported has no place here:
# a lock that a thread holds while the zygote forks is held for ever in the fork.
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
# Threads of pyarrow that are no danger: its allocator takes its locks for a fork and gives them
# back in it, and the loop of its S3 client (before pyarrow 15) has nothing to do.
_HARMLESS = ("jemalloc_bg_thd", "AwsEventLoop")
# What the processes of ours need: imported once, not once a model.
_OURS = (
    "numerai_predict.runner.predictions",
    "numerai_predict.runner.preflight",
    "numerai_predict.runner.child.prediction_encoder",
    "numerai_predict.runner.child.model_loader",
    "numerai_predict.fleet.worker.supervisor",
)


@dataclass(frozen=True)
class Preloaded:
    """The frames by the paths they were read from; the live data's shape; what was imported.

    `seconds` is how long it took.
    """

    frames: Mapping[str, Any]
    live: Shape
    libraries: list[str]
    seconds: float


def preload(dataset: str, benchmarks: str | None) -> Preloaded:
    """Import the libraries and read the data, in this thread alone.

    Raises:
        RuntimeError: something started threads: what forks from here could not be confined.
        DatasetUnavailable: the live data is no parquet file.
        Exception: whatever pandas raises for data that it cannot read.
    """
    started = time.perf_counter()
    libraries = [name for name in _LIBRARIES if _import(name)]
    for name in _OURS:
        importlib.import_module(name)
    frames = {path: _read(path) for path in (dataset, benchmarks) if path is not None}
    shape = read_shape(Path(dataset), dataset)
    _require_no_threads()
    return Preloaded(frames, shape, libraries, time.perf_counter() - started)


def _require_no_threads() -> None:
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    others = [name for name in names if not name.startswith(_HARMLESS)]
    if len(others) > 1:
        found = ", ".join(others)
        raise RuntimeError(f"expected no threads before a model is there, found {found}")


def _import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception:  # a broken library is the failure of the model that needs it, not ours
        return False
    return True


def _read(path: str) -> Any:
    """The frame that `pandas.read_parquet` gives, read without a thread."""
    import pyarrow.parquet as pq

    # memory_map, not a buffered read: with it pyarrow has no use for threads of input.
    table = pq.ParquetFile(path, memory_map=True, pre_buffer=False).read(use_threads=False)
    return table.to_pandas(use_threads=False)
