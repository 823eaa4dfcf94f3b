"""Other engines of trees; bench/trees.py runs it in an environment that has them.

python bench/trees_others.py MODEL.txt LIVE.npy
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import lightgbm
import numpy as np

_MODEL, _LIVE = sys.argv[1:]
_INT8 = np.load(_LIVE)
_BOOSTER = lightgbm.Booster(model_file=_MODEL)
_EXPECTED = _BOOSTER.predict(_INT8, num_threads=1)


def measure(name: str, make: Callable[[], Any], predict: Callable[[Any], Any]) -> None:
    """Print one row."""
    try:
        started = time.perf_counter()
        model = make()
        prepare = time.perf_counter() - started
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            found = np.asarray(predict(model)).ravel()
            seconds.append(time.perf_counter() - started)
        row = {
            "prepare": prepare,
            "seconds": statistics.median(seconds),
            "equal": bool(np.array_equal(found.astype(float), _EXPECTED)),
            "difference": float(np.abs(found - _EXPECTED).max()),
        }
    except Exception as error:
        row = {"error": f"does not run: {type(error).__name__}: {error}"[:120].replace("|", "/")}
    print(json.dumps({"name": name, **row}), flush=True)


def _treelite() -> Any:
    import treelite

    return treelite.frontend.load_lightgbm_model(_MODEL)


def _gtil(model: Any) -> Any:
    import treelite

    return treelite.gtil.predict(model, _INT8.astype(np.float64), nthread=1)


def _onnx() -> Any:
    import onnxruntime
    from onnxmltools.convert import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    kinds = [("x", FloatTensorType([None, _INT8.shape[1]]))]
    converted = convert_lightgbm(_BOOSTER, initial_types=kinds, target_opset=15)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(converted.SerializeToString(), options, providers=providers)


def _onedal() -> Any:
    import daal4py

    daal4py.daalinit(1)
    return daal4py.mb.convert_model(_BOOSTER)


measure("LightGBM", lambda: _BOOSTER, lambda model: model.predict(_INT8, num_threads=1))
measure("treelite GTIL", _treelite, _gtil)
measure("ONNX Runtime", _onnx, lambda model: model.run(None, {"x": _INT8.astype(np.float32)})[0])
measure("oneDAL", _onedal, lambda model: model.predict(_INT8.astype(np.float64)))
