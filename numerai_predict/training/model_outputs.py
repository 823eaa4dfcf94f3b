"""The outputs of trained models, from the tree engine where it may predict."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerai_predict import acceleration
from numerai_predict.runner.acceleration_option import is_allowed_by
from numerai_predict.training.predict_template import load_model, predict_with

# Rows of a call: where the library predicts them, it makes a copy of four bytes per value.
_BATCH_ROWS = 8192


def output_function(
    kind: str, body: bytes, environment: Mapping[str, str] = os.environ
) -> Callable[[NDArray[np.int8]], NDArray[np.float64]]:
    """The outputs of a stored model for features, shapes (rows, features) and (rows,).

    The tree engine predicts, with the results of the model's library, unless the environment
    turns it off. `kind` is the trainer's name, `body` the stored model.
    """
    predict = load_model(kind, body)
    if not is_allowed_by(environment):
        return functools.partial(predict_with, predict)
    return functools.partial(_predict_with_engine, predict.__self__)


def _predict_with_engine(booster: Any, features: NDArray[np.int8]) -> NDArray[np.float64]:
    parts = [np.zeros(0)]
    for start in range(0, len(features), _BATCH_ROWS):
        found = acceleration.predict(booster, features[start : start + _BATCH_ROWS])
        parts.append(np.asarray(found, dtype=np.float64).reshape(-1))
    return np.concatenate(parts)
