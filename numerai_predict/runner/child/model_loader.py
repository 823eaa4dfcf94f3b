"""Unpickles the model and finds its arity and its name."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pandas as pd

from numerai_predict.inspection.compression import open_decompressed
from numerai_predict.runner.hosted_forms import SignatureForm
from numerai_predict.runner.model_defect import ModelDefect

Model = Callable[..., Any]

_MAX_NAME_CHARACTERS = 200
_MAX_WRAPPERS = 10

# Names of a first parameter that Python itself passes.
_OWNERS = ("self", "cls")


class NotAModel(Exception):
    """The unpickled object cannot be called as a model; `defect` is the kind of the object."""

    def __init__(self, found: str, defect: ModelDefect = ModelDefect.OTHER) -> None:
        super().__init__(found)
        self.defect = defect


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
    _require_function(model)
    return model  # type: ignore[no-any-return]


def _require_function(model: Any) -> None:
    if not callable(model):
        raise _not_callable(model)
    name = display_name(model)
    if inspect.isclass(model):
        raise NotAModel(f"found {name}, a class, not an instance", ModelDefect.CLASS)
    for function in (model, type(model).__call__):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise NotAModel(f"found {name}, a function made by `async def`", ModelDefect.ASYNC)
        if inspect.isgeneratorfunction(function):
            raise NotAModel(
                f"found {name}, a generator function: it contains `yield`", ModelDefect.GENERATOR
            )


def _not_callable(value: Any) -> NotAModel:
    defect, what = ModelDefect.OTHER, ""
    if callable(getattr(value, "predict", None)):
        defect, what = ModelDefect.HAS_PREDICT, "; its method `predict` can"
    elif isinstance(value, dict | list | tuple | set):
        defect = ModelDefect.COLLECTION
    elif isinstance(value, bytes | bytearray) and value.endswith(pickle.STOP):
        defect, what = ModelDefect.PICKLED_TWICE, ": the bytes of a pickle"
    return NotAModel(f"found {_name_with_article(value)}, which cannot be called{what}", defect)


def positional_arity(model: Model) -> int:
    """The number of positional arguments: two if the signature accepts two, else one.

    Raises:
        NotAModel: the signature accepts neither two positional arguments nor one.
    """
    try:
        signature = inspect.signature(model)
    except ValueError:
        raise NotAModel("found a built-in callable whose parameters are unknown") from None
    if _takes_only_args(signature):
        return 2 if _wraps_function_of_two(model) else 1
    for count in (2, 1):
        if _can_bind(signature, count):
            return count
    is_method = next(iter(signature.parameters), "") in _OWNERS
    defect = ModelDefect.METHOD if is_method else ModelDefect.OTHER
    raise NotAModel(f"found {display_name(model)}{signature}", defect)


def signature_form(model: Model) -> SignatureForm:
    """The signature of a model with a `positional_arity`."""
    signature = inspect.signature(model)
    names = list(signature.parameters)
    count = len(names)
    return SignatureForm(
        parameters=count,
        positional=_can_bind(signature, count),
        only_args=_takes_only_args(signature),
        misplaced=names[0] if count == 2 and _is_misplaced(names[0]) else "",
        wrapped=_variable_of_wrapped(model),
    )


def _is_misplaced(name: str) -> bool:
    """Whether the name of a first parameter shows that it is not the live-features parameter."""
    return name in _OWNERS or "bench" in name.lower()


def _takes_only_args(signature: inspect.Signature) -> bool:
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    return kinds == [inspect.Parameter.VAR_POSITIONAL]


def _can_bind(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _takes_anything(signature: inspect.Signature) -> bool:
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    return kinds == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]


def _wraps_function_of_two(model: Model) -> bool:
    """Whether a wrapper's only function cannot be called with fewer than two arguments."""
    _, function = _wrapped_function(model)
    if function is None:
        return False
    signature = inspect.signature(function)
    return _can_bind(signature, 2) and not _can_bind(signature, 1)


def _variable_of_wrapped(model: Model) -> str:
    """The variable of the function that a wrapper of any arguments calls; see `SignatureForm`."""
    variable, depth = "", 0
    function: Model | None = model
    while function is not None and _takes_anything(inspect.signature(function)):
        name, function = _wrapped_function(function)
        variable, depth = variable or name, depth + 1
        if depth > _MAX_WRAPPERS:
            return ""
    if function is None or not depth:
        return ""
    signature = inspect.signature(function)
    takes_one = _can_bind(signature, 1) and not _can_bind(signature, 2)
    return variable[:_MAX_NAME_CHARACTERS] if takes_one else ""


def _wrapped_function(model: Model) -> tuple[str, Model | None]:
    """The only function among the variables of an enclosing function, and its variable."""
    if not inspect.isfunction(model):
        return "", None
    try:
        variables = inspect.getclosurevars(model).nonlocals.items()
    except ValueError:  # a variable without a value
        return "", None
    functions = [(name, value) for name, value in variables if inspect.isfunction(value)]
    return functions[0] if len(functions) == 1 else ("", None)


def display_name(model: Model) -> str:
    """The name of the function, or of the class of a callable object."""
    name = getattr(model, "__name__", None)
    return (name if type(name) is str else type(model).__name__)[:_MAX_NAME_CHARACTERS]


def _name_with_article(value: Any) -> str:
    if value is None:
        return "None"
    noun = type(value).__qualname__
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"
