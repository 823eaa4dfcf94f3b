"""The outputs of trained models, from the tree engine where it may predict."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from numerai_predict import acceleration
from numerai_predict.runner.acceleration_option import is_allowed_by
from numerai_predict.training.predict_template import load_model, predict_with


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
    # int8 as it is: the engine's masks of five values need no copy of four bytes a value.
    by_engine = functools.partial(acceleration.predict, predict.__self__)
    return functools.partial(predict_with, by_engine, kind=np.int8)
