"""CatBoost: which predictions the engine understands, and the model's own binary format."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from numerai_predict.acceleration.accelerator import Accelerator, TreeCall
from numerai_predict.acceleration.engine import Forest, ObliviousTrees, make_oblivious, thread_count
from numerai_predict.acceleration.flatbuffer import FlatTable
from numerai_predict.acceleration.library_calls import call_method, intercept
from numerai_predict.acceleration.tables import (
    NotSupported,
    NumericTable,
    as_table,
    is_frame,
)

NAME = "catboost"

_METHOD = "_predict"

_MAGIC = b"CBM1"
_CHANGES = (
    "_deserialize_model",
    "_fit",
    "_load_model",
    "_set_trained_model",
    "load_model",
    "set_feature_names",
    "set_leaf_values",
    "set_scale_and_bias",
    "shrink",
    "__setstate__",
)
_ARGUMENTS = (
    *("self", "data", "prediction_type", "ntree_start", "ntree_end", "thread_count", "verbose"),
    *("parent_method_name", "task_type"),
)
# Measured with bench/trees.py.
_READ_SECONDS, _READ_SECONDS_PER_TREE = 0.03, 1e-6
_LEVELS = 1.0
# Fields of TModelCore, TModelTrees and TFloatFeature in CatBoost's schema.
_TREES = 1
_DIMENSION, _SPLITS, _SIZES, _STARTS, _FLOATS, _LEAVES, _SCALE, _BIAS, _BIASES = (
    *(0, 1, 2, 3, 5, 8, 14, 15, 16),
)
_OTHER_SPLITS = (4, 6, 7, 10, 12, 13)  # categories, one-hot, counters, asymmetric, text, estimated
_FLAT_INDEX, _BORDERS = 2, 3
_MAX_DEPTH = 16


def patch(module: Any, accelerator: Accelerator) -> None:
    """Have `CatBoost` of the module `catboost.core` predict through the accelerator."""
    model_class = module.CatBoost
    if tuple(inspect.signature(model_class._predict).parameters) != _ARGUMENTS:
        return
    intercept(accelerator, NAME, model_class, _METHOD, understand)
    accelerator.forget_before(model_class, _CHANGES)


def understand(original: Any, bound: inspect.BoundArguments) -> TreeCall:
    """The call of `CatBoost._predict` with these arguments.

    Raises:
        NotSupported: it asks for something else than raw predictions of plain numbers.
    """
    bound.apply_defaults()
    values = dict(bound.arguments)
    model, data = values.pop("self"), values.pop("data")
    if values["prediction_type"] != "RawFormulaVal" or values["task_type"] != "CPU":
        raise NotSupported("something else than raw predictions")
    start, end = values["ntree_start"], values["ntree_end"]
    if type(start) is not int or type(end) is not int or start or end:
        raise NotSupported("a part of the trees")
    table = _table(model, data)
    threads = values["thread_count"]
    trees = int(model.tree_count_ or 0)
    return TreeCall(
        name=NAME,
        booster=model,
        key=None,
        threads=thread_count(threads if threads > 0 else None),
        trees=trees,
        levels=_LEVELS,
        read_seconds=_READ_SECONDS + trees * _READ_SECONDS_PER_TREE,
        read=lambda: read(model._serialize_model()),
        table=table,
        shape=lambda found: found[:, 0],
        # As an array: a frame costs the library some time for each column.
        library=lambda rows: original(model, table.values[rows], **values),
    )


def _table(model: Any, data: Any) -> NumericTable:
    import numpy as np

    table = as_table(data, np.float32, frames=np.float32)
    names = list(model.feature_names_ or ())
    if not table.rows or table.columns != len(names):
        raise NotSupported("another number of columns than the model has features")
    unnamed = [str(i) for i in range(len(names))]
    if is_frame(data) and names not in (unnamed, list(data.columns)):
        raise NotSupported("columns of other names than the model's features")
    if table.values.dtype != np.int8 and np.isnan(table.values.sum(dtype=np.float64)):
        raise NotSupported("values that are missing or infinite")
    return table


def read(model: bytes) -> Forest:
    """The forest of a model in CatBoost's binary format.

    Raises:
        NotSupported: the engine cannot predict it; the message is the reason.
    """
    import numpy as np

    if model[:4] != _MAGIC:
        raise NotSupported("its bytes cannot be read")
    trees = FlatTable.root(model[8:]).table(_TREES)
    _require_supported(trees)
    floats = trees.tables(_FLOATS)
    borders = [each.vector(_BORDERS, "<f4") for each in floats]
    counts = [len(each) for each in borders]
    features = [each.scalar(_FLAT_INDEX, "<i", 0) for each in floats]
    splits, sizes = trees.vector(_SPLITS, "<i4"), trees.vector(_SIZES, "<i4")
    first = _starts(sizes)
    if len(splits) != first[-1] or (len(splits) and splits.max() >= sum(counts)):
        raise NotSupported("its splits are invalid")
    biases = trees.vector(_BIASES, "<f8")
    return make_oblivious(
        ObliviousTrees(
            first_node=first,
            feature=np.repeat(np.array(features, np.int32), counts)[splits],
            threshold=np.concatenate(borders).astype(np.float64)[splits],
            first_leaf=_starts(1 << sizes.astype(np.int64)),
            leaf=trees.vector(_LEAVES, "<f8"),
            features=max(features) + 1,
            scale=trees.scalar(_SCALE, "<d", 1.0),
            bias=float(biases[0]) if len(biases) else trees.scalar(_BIAS, "<d", 0.0),
        )
    )


def _require_supported(trees: FlatTable) -> None:
    if trees.scalar(_DIMENSION, "<i", 0) != 1 or trees.count(_BIASES) > 1:
        raise NotSupported("it has several outputs")
    if any(trees.count(field) for field in _OTHER_SPLITS):
        raise NotSupported("it has other splits than of numbers, or asymmetric trees")
    splits, sizes = trees.vector(_SPLITS, "<i4"), trees.vector(_SIZES, "<i4")
    if not len(sizes) or not trees.count(_FLOATS):
        raise NotSupported("it has no trees")
    if sizes.min() < 0 or sizes.max() > _MAX_DEPTH or (len(splits) and splits.min() < 0):
        raise NotSupported("its trees are invalid or deeper than 16")
    if trees.vector(_STARTS, "<i4").tolist() != _starts(sizes)[:-1].tolist():
        raise NotSupported("its trees are invalid")


def _starts(sizes: Any) -> Any:
    import numpy as np

    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def owns(model: Any) -> bool:
    """Whether the model is one of this library."""
    core = sys.modules.get("catboost.core")
    return core is not None and isinstance(model, core.CatBoost)


def predict_with(accelerator: Accelerator, model: Any, data: Any) -> Any:
    """The raw predictions of a model that `owns` accepts."""
    arguments = (model, data, "RawFormulaVal", 0, 0, -1, None, "predict", "CPU")
    return call_method(accelerator, NAME, _METHOD, understand, *arguments)
