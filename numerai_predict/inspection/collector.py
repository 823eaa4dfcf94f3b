"""What a pickle tells on the way: gathered while the machine goes over it, never called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from numerai_predict.inspection.code_objects import Code, parse_code
from numerai_predict.inspection.library_metadata import versions_in_blob, versions_in_item
from numerai_predict.inspection.placeholders import Blob, CallResult, Global

_MOST_NAMES = 20_000
# Three words, a group and a number, or whatever ends in a number: no option of a library
# is called so, as `feature_fraction_bynode` and its like show.
_FEATURE = re.compile(
    r"feature_(?:[a-z]{1,40}_[a-z]{1,40}_[a-z]{1,40}|[a-z]{1,40}\d{1,6}|\w{1,60}_\d{1,6})"
)
_DATA_VERSION = re.compile(r"(v\d+(?:\.\d+)?)/\w+(?:\.\w+)?")


class InspectionCollector:
    """A listener of the machine that keeps what an inspection reports.

    `names` are taken by reference, `modules` whole; both in the order of the pickle.
    """

    def __init__(self) -> None:
        self.names: dict[Global, None] = {}
        self.modules: dict[str, None] = {}
        self.codes: list[Code] = []
        self.versions: dict[str, str] = {}
        self.features: dict[str, None] = {}
        self.data_versions: dict[str, None] = {}

    def on_global(self, name: Global) -> None:
        """Keep a name that is taken by reference."""
        if len(self.names) < _MOST_NAMES:
            self.names[name] = None

    def on_call(self, call: CallResult) -> Any:
        """Keep code objects and modules; the stand-in for what the call returns."""
        if isinstance(call.callee, Global) and isinstance(call.arguments, tuple):
            effect = _CALLS.get(call.callee.name)
            if effect:
                return effect(self, call, call.arguments)
        return call

    def on_item(self, key: str, value: Any) -> None:
        """Keep the versions that libraries leave in their state."""
        self.versions.update(versions_in_item(key, value))

    def on_text(self, text: str) -> None:
        """Keep names of features and of versions of the data."""
        if text.startswith("feature_"):
            if _FEATURE.fullmatch(text):
                self.features[text] = None
        elif text.startswith("v") and (found := _DATA_VERSION.fullmatch(text)):
            self.data_versions[found[1]] = None

    def on_blob(self, blob: Blob) -> None:
        """Keep what a model's own format tells of its version and features."""
        versions, features = versions_in_blob(blob)
        self.versions.update(versions)
        self.features.update(dict.fromkeys(name for name in features if _FEATURE.fullmatch(name)))

    def _module(self, name: Any) -> None:
        if isinstance(name, str) and len(self.modules) < _MOST_NAMES:
            self.modules[name] = None


def _type_by_name(_: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    if len(arguments) == 1 and isinstance(arguments[0], str):
        return Global("types", arguments[0])
    return call


def _make_code(collector: InspectionCollector, _: CallResult, arguments: tuple[Any, ...]) -> Code:
    # dill puts the line table of an older Python before the fields.
    if len(arguments) in (17, 19) and isinstance(arguments[0], Blob | bytes):
        arguments = arguments[1:]
    code = parse_code(arguments)
    collector.codes.append(code)
    return code


def _import(collector: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    if arguments and isinstance(arguments[0], str):
        collector._module(arguments[0])
        return Global(arguments[0], "")
    return call


def _set_state(_: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    if len(arguments) == 2 and isinstance(arguments[0], CallResult):
        arguments[0].states += (arguments[1],)
        return arguments[0]
    return call


# Calls with a meaning, by the last part of their name: cloudpickle lies in other
# packages too (joblib, ray, pyspark), and dill has names of its own.
_CALLS: dict[str, Callable[[InspectionCollector, CallResult, tuple[Any, ...]], Any]] = {
    "_builtin_type": _type_by_name,
    "_load_type": _type_by_name,
    "CodeType": _make_code,
    "code": _make_code,
    "_create_code": _make_code,
    "subimport": _import,
    "_import_module": _import,
    "import_module": _import,
    "__import__": _import,
    "_function_setstate": _set_state,
    "_class_setstate": _set_state,
}
