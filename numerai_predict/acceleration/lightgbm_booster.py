"""LightGBM: which calls of `Booster.predict` the engine understands."""

from __future__ import annotations

import functools
import inspect
import math
from typing import Any

from numerai_predict.acceleration.accelerator import Accelerator, TreeCall
from numerai_predict.acceleration.engine import Forest, read_lightgbm, thread_count
from numerai_predict.acceleration.library_calls import booster_of, call_method, intercept
from numerai_predict.acceleration.tables import NotSupported, NumericTable, as_table, is_frame

NAME = "lightgbm"

_MODULE, _METHOD = "lightgbm.basic", "predict"

_CHANGES = (
    "model_from_string",
    "refit",
    "reset_parameter",
    "rollback_one_iter",
    "set_leaf_output",
    "shuffle_models",
    "update",
)
# Measured with bench/trees.py: seconds to read the text of a model, and to have it written first.
_READ_BYTE, _WRITE_BYTE = 3e-9, 40e-9
_BYTES_PER_LEAF, _USUAL_LEAVES = 100, 31

_THREADS = frozenset(("num_threads", "num_thread", "nthread", "nthreads", "n_jobs"))
# Parameters of training, which the scikit-learn interface passes to every prediction as well.
_WITHOUT_EFFECT = _THREADS | frozenset(
    (
        *("bagging_fraction", "bagging_freq", "bagging_seed", "boosting", "boosting_type"),
        *("class_weight", "colsample_bytree", "data_random_seed", "data_sample_strategy"),
        *("deterministic", "device", "device_type", "early_stopping_round"),
        *("early_stopping_rounds", "extra_trees", "feature_fraction", "feature_fraction_bynode"),
        *("feature_fraction_seed", "feature_pre_filter", "force_col_wise", "force_row_wise"),
        *("importance_type", "lambda_l1", "lambda_l2", "learning_rate", "linear_tree"),
        *("max_bin", "max_depth", "metric", "min_child_samples", "min_child_weight"),
        *("min_data_in_leaf", "min_gain_to_split", "min_split_gain", "min_sum_hessian_in_leaf"),
        *("n_estimators", "num_boost_round", "num_iterations", "num_leaves", "objective"),
        *("random_state", "reg_alpha", "reg_lambda", "seed", "silent", "subsample"),
        *("subsample_for_bin", "subsample_freq", "verbose", "verbosity", "zero_as_missing"),
        *("use_missing", "max_cat_threshold", "cat_l2", "cat_smooth", "num_class", "alpha"),
        *("drop_rate", "skip_drop", "max_drop", "uniform_drop", "path_smooth", "metrics"),
    )
)


def patch(module: Any, accelerator: Accelerator) -> None:
    """Have `Booster` of the module `lightgbm.basic` predict through the accelerator."""
    booster_class = module.Booster
    understood = functools.partial(understand, accelerator)
    intercept(accelerator, NAME, booster_class, _METHOD, understood)
    _patch_loading(booster_class, accelerator)
    accelerator.forget_before(booster_class, _CHANGES)


def _patch_loading(booster_class: Any, accelerator: Accelerator) -> None:
    """Keep the text of a model that is unpickled or made from a text: to write it takes long."""
    set_state, init = booster_class.__setstate__, booster_class.__init__

    @functools.wraps(set_state)
    def __setstate__(self: Any, state: Any) -> None:  # noqa: N807
        text = state.get("_handle", state.get("handle")) if isinstance(state, dict) else None
        set_state(self, state)
        accelerator.forget(self)
        if type(text) is str:
            accelerator.state(self).text = text

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        init(self, *args, **kwargs)
        accelerator.forget(self)
        text = kwargs.get("model_str")
        if type(text) is str:
            accelerator.state(self).text = text

    booster_class.__setstate__, booster_class.__init__ = __setstate__, __init__


def understand(accelerator: Accelerator, original: Any, bound: inspect.BoundArguments) -> TreeCall:
    """The call of `Booster.predict` with these arguments.

    Raises:
        NotSupported: it asks for something else than predictions, or has unknown parameters.
    """
    bound.apply_defaults()
    values = dict(bound.arguments)
    booster, data = values.pop("self"), values.pop("data")
    parameters = values.pop("kwargs", {})
    _require_known(values, parameters)
    start, count = iterations(booster, values["start_iteration"], values["num_iteration"])
    raw_score = bool(values["raw_score"])
    state = accelerator.state(booster)
    key = (start, count, raw_score)
    trees = booster.num_trees()

    def read() -> Forest:
        text = state.text
        if text is None:
            text = booster.model_to_string(num_iteration=-1)
        state.text = None  # one reading is all that most models need
        return read_lightgbm(text, start, count, raw_score=raw_score)

    requested = next((parameters[name] for name in _THREADS if name in parameters), None)
    return TreeCall(
        name=NAME,
        booster=booster,
        key=key,
        threads=thread_count(requested),
        trees=trees,
        levels=_levels(state.text, trees),
        read_seconds=_read_seconds(state.text, trees),
        read=read,
        table=_table(booster, data),
        shape=lambda found: found[:, 0] if found.shape[1] == 1 else found,
        library=lambda rows: original(booster, _rows_of(data, rows), **values, **parameters),
    )


def _levels(text: str | None, trees: int) -> float:
    """About how many levels a row goes down in a tree, by the size of the text."""
    leaves = _USUAL_LEAVES if text is None else len(text) / _BYTES_PER_LEAF / max(trees, 1)
    return 1.5 * math.log2(max(2.0, leaves))


def _read_seconds(text: str | None, trees: int) -> float:
    if text is None:
        return trees * _USUAL_LEAVES * _BYTES_PER_LEAF * _WRITE_BYTE
    return len(text) * _READ_BYTE


def _require_known(values: dict[str, Any], parameters: dict[str, Any]) -> None:
    known = {
        "start_iteration",
        "num_iteration",
        "raw_score",
        "pred_leaf",
        "pred_contrib",
        "data_has_header",
        "validate_features",
    }
    if values.keys() != known:
        raise NotSupported("a version of the library with other arguments")
    if values["pred_leaf"] or values["pred_contrib"]:
        raise NotSupported("leaves or contributions in place of predictions")
    if unknown := sorted(parameters.keys() - _WITHOUT_EFFECT):
        raise NotSupported(f"parameter {unknown[0]!r}")


def iterations(booster: Any, start: Any, count: Any) -> tuple[int, int]:
    """The first iteration and the number of iterations as the library counts them; 0 for all.

    Raises:
        NotSupported: they are not integers.
    """
    if count is None:
        count = booster.best_iteration if start <= 0 else -1
    if type(start) is not int or type(count) is not int:
        raise NotSupported("iterations that are not integers")
    return max(start, 0), max(count, 0)


def _rows_of(data: Any, rows: Any) -> Any:
    return data.iloc[rows] if is_frame(data) else data[rows]


def _table(booster: Any, data: Any) -> NumericTable:
    import numpy as np

    if is_frame(data) and booster.pandas_categorical:
        raise NotSupported("categories of a DataFrame")
    table = as_table(data, np.float32)
    if not table.rows or table.columns != booster.num_feature():
        raise NotSupported("another number of columns than the model has features")
    return table


def owns(model: Any) -> bool:
    """Whether the model is a booster of this library, or of its scikit-learn interface."""
    return booster_of(model, _MODULE) is not None


def predict_with(accelerator: Accelerator, model: Any, data: Any) -> Any:
    """The predictions of a booster that `owns` accepts."""
    understood = functools.partial(understand, accelerator)
    booster = booster_of(model, _MODULE)
    return call_method(accelerator, NAME, _METHOD, understood, booster, data)
