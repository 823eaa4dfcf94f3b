"""XGBoost: which calls of `Booster.inplace_predict` the engine understands.

The scikit-learn interface predicts through it. `Booster.predict` takes a DMatrix, whose values
are the library's own: it is left as it is.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

from numerai_predict.acceleration.accelerator import Accelerator, TreeCall
from numerai_predict.acceleration.engine import read_xgboost, thread_count
from numerai_predict.acceleration.library_calls import booster_of, call_method, intercept
from numerai_predict.acceleration.tables import NotSupported, NumericTable, as_table, is_frame

NAME = "xgboost"

_MODULE, _METHOD = "xgboost.core", "inplace_predict"

_CHANGES = ("boost", "load_model", "set_param", "update", "__setstate__")
_DEFAULTS = {"predict_type": "value", "base_margin": None, "strict_shape": False}
# Measured with bench/trees.py: the library writes a tree, the engine reads it; levels of a tree.
_READ_SECONDS_PER_TREE = 35e-6
_LEVELS = 5.0


def patch(module: Any, accelerator: Accelerator) -> None:
    """Have `Booster` of the module `xgboost.core` predict through the accelerator."""
    intercept(accelerator, NAME, module.Booster, _METHOD, understand)
    accelerator.forget_before(module.Booster, _CHANGES)


def understand(original: Any, bound: inspect.BoundArguments) -> TreeCall:
    """The call of `Booster.inplace_predict` with these arguments.

    Raises:
        NotSupported: it asks for something else than predictions of plain numbers.
    """
    bound.apply_defaults()
    values = dict(bound.arguments)
    booster, data = values.pop("self"), values.pop("data")
    begin, end = _iterations(values)
    table = _table(booster, data, values)
    trees = booster.num_boosted_rounds()
    return TreeCall(
        name=NAME,
        booster=booster,
        key=(begin, end),
        threads=thread_count(),
        trees=trees,
        levels=_LEVELS,
        read_seconds=trees * _READ_SECONDS_PER_TREE,
        read=lambda: read_xgboost(booster.save_raw("ubj"), begin, end),
        table=table,
        shape=lambda found: found[:, 0],
        # As an array: a frame costs the library some time for each column.
        library=lambda rows: original(booster, table.values[rows], **values),
    )


def _iterations(values: dict[str, Any]) -> tuple[int, int]:
    known = {"iteration_range", "missing", "validate_features", *_DEFAULTS}
    if values.keys() != known:
        raise NotSupported("a version of the library with other arguments")
    predict_type = values["predict_type"]
    if predict_type not in ("value", "margin"):  # equal for the objectives that are read
        raise NotSupported("something else than predictions")
    if values["base_margin"] is not None or values["strict_shape"]:
        raise NotSupported("a base margin or a strict shape")
    missing = values["missing"]
    if not (isinstance(missing, float) and math.isnan(missing)):
        raise NotSupported("a missing value that is not NaN")
    begin, end = (int(each) for each in values["iteration_range"])
    return begin, end


def _table(booster: Any, data: Any, values: dict[str, Any]) -> NumericTable:
    import numpy as np

    table = as_table(data, np.float32, frames=np.float32)
    if not table.rows or table.columns != booster.num_features():
        raise NotSupported("another number of columns than the model has features")
    names = booster.feature_names if is_frame(data) and values["validate_features"] else None
    if names is not None and [str(each) for each in data.columns] != list(names):
        raise NotSupported("columns of other names than the model's features")
    return table


def owns(model: Any) -> bool:
    """Whether the model is a booster of this library, or of its scikit-learn interface."""
    return booster_of(model, _MODULE) is not None


def predict_with(accelerator: Accelerator, model: Any, data: Any) -> Any:
    """The predictions of a booster that `owns` accepts."""
    booster = booster_of(model, _MODULE)
    return call_method(accelerator, NAME, _METHOD, understand, booster, data)
