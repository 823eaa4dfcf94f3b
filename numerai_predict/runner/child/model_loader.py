"""Unpickles the model and finds its arity and its name."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pandas as pd

from numerai_predict.inspection.compression import open_decompressed

Model = Callable[..., Any]

_MAX_NAME_CHARACTERS = 200


class NotAModel(Exception):
    """The unpickled object cannot be called as a model."""


def load(path: str) -> Model:
    """The callable in the pickle.

    A plain load shows the warnings of libraries, which `pandas.read_pickle` would suppress. It is
    the fallback for errors that it handles, such as names that moved between pandas versions.

    Raises:
        NotAModel: the pickle holds something that cannot be called.
        Exception: whatever the pickle raises.
    """
    try:
        with open_decompressed(path) as handle:
            model = pickle.load(handle)
    except (AttributeError, ImportError, TypeError, UnicodeDecodeError) as error:
        try:
            model = pd.read_pickle(path)
        except Exception:
            raise error from None
    if not callable(model):
        raise NotAModel(f"found {_name_with_article(model)}, which cannot be called")
    return model  # type: ignore[no-any-return]


def positional_arity(model: Model) -> int:
    """The number of positional arguments: two if the signature accepts two, else one.

    Raises:
        NotAModel: the signature accepts neither two positional arguments nor one.
    """
    try:
        signature = inspect.signature(model)
    except ValueError:
        raise NotAModel("found a built-in callable whose parameters are unknown") from None
    for count in (2, 1):
        try:
            signature.bind(*range(count))
        except TypeError:
            continue
        return count
    raise NotAModel(f"found {display_name(model)}{signature}")


def display_name(model: Model) -> str:
    """The name of the function, or of the class of a callable object."""
    name = getattr(model, "__name__", None)
    return (name if type(name) is str else type(model).__name__)[:_MAX_NAME_CHARACTERS]


def _name_with_article(value: Any) -> str:
    if value is None:
        return "None"
    noun = type(value).__qualname__
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"
