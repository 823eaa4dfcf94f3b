"""The listener that collects the results of an inspection while the VM runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from numerai_predict.inspection.code_objects import Code, parse_code
from numerai_predict.inspection.library_metadata import versions_in_blob, versions_in_item
from numerai_predict.inspection.placeholders import UNKNOWN, Blob, CallResult, Global, encoded_blob

# Real models stay far below these numbers.
_MAX_NAMES = 2_000
_MAX_FEATURES = 20_000
_MAX_DATA_VERSIONS = 1_000
# Three words, a group and a number, or any name that ends in a number. Library options
# such as `feature_fraction_bynode` do not match.
_FEATURE = re.compile(
    r"feature_(?:[a-z]{1,40}_[a-z]{1,40}_[a-z]{1,40}|[a-z]{1,40}\d{1,6}|\w{1,60}_\d{1,6})"
)
_DATA_VERSION = re.compile(r"(v\d+(?:\.\d+)?)/\w+(?:\.\w+)?")


class InspectionCollector:
    """A listener of the VM that keeps what an inspection reports.

    `names` are imported names, `modules` modules imported as a whole, `arrays` the classes of
    pandas' arrays; they are dicts without values that keep the order of the pickle. `excess`
    says what it has more of than is kept.
    """

    def __init__(self) -> None:
        self.names: dict[Global, None] = {}
        self.modules: dict[str, None] = {}
        self.arrays: dict[Global, None] = {}
        self.codes: list[Code] = []
        self.versions: dict[str, str] = {}
        self.features: dict[str, None] = {}
        self.data_versions: dict[str, None] = {}
        self.excess: str | None = None

    def on_global(self, name: Global) -> None:
        """Record an imported name."""
        self._add(self.names, name, _MAX_NAMES, "imported names")

    def on_call(self, call: CallResult) -> Any:
        """Record code objects and modules; the placeholder of the result of the call."""
        if isinstance(call.callee, Global) and isinstance(call.arguments, tuple):
            handler = _CALL_HANDLERS.get(call.callee.name)
            if handler:
                return handler(self, call, call.arguments)
        return call

    def on_item(self, key: str, value: Any) -> None:
        """Record library versions stored in the state of objects."""
        self.versions.update(versions_in_item(key, value))

    def on_text(self, text: str) -> None:
        """Record names of features and of data versions."""
        if text.startswith("feature_"):
            if _FEATURE.fullmatch(text):
                self._add(self.features, text, _MAX_FEATURES, "features")
        elif text.startswith("v") and (match := _DATA_VERSION.fullmatch(text)):
            self._add(self.data_versions, match[1], _MAX_DATA_VERSIONS, "data versions")

    def on_blob(self, blob: Blob) -> None:
        """Record the version and features from a model in its library's format."""
        versions, features = versions_in_blob(blob)
        self.versions.update(versions)
        for name in filter(_FEATURE.fullmatch, features):
            self._add(self.features, name, _MAX_FEATURES, "features")

    def _add(self, found: dict[Any, None], item: Any, most: int, what: str) -> None:
        if len(found) < most:
            found[item] = None
        elif item not in found:
            self.excess = f"it has more than {most:,} {what}"


def _type_by_name(_: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    if len(arguments) == 1 and isinstance(arguments[0], str):
        return Global("types", arguments[0])
    return call


def _make_code(collector: InspectionCollector, _: CallResult, arguments: tuple[Any, ...]) -> Code:
    # dill puts the line table of older Pythons before the fields.
    if len(arguments) in (17, 19) and isinstance(arguments[0], Blob | bytes):
        arguments = arguments[1:]
    code = parse_code(arguments)
    collector.codes.append(code)
    return code


def _import(collector: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    if arguments and isinstance(arguments[0], str):
        collector._add(collector.modules, arguments[0], _MAX_NAMES, "imported modules")
        return Global(arguments[0], "")
    return call


def _add_state(_: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    if len(arguments) == 2 and isinstance(arguments[0], CallResult):
        arguments[0].states += (arguments[1],)
        return arguments[0]
    return call


def _encode(collector: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    """Bytes in a pickle of protocol 0, 1 or 2: a Latin-1 string that `_codecs.encode` encodes."""
    callee = call.callee
    if (
        callee.module != "_codecs"
        or len(arguments) != 2
        or arguments[1:] not in (("latin1",), ("latin-1",))
    ):
        return call
    blob = encoded_blob(arguments[0])
    if blob is None:
        return UNKNOWN
    collector.on_blob(blob)
    return blob


def _restore_array(collector: InspectionCollector, call: CallResult, arguments: Any) -> Any:
    """An array of pandas: the first argument is its class."""
    if arguments and isinstance(arguments[0], Global):
        collector._add(collector.arrays, arguments[0], _MAX_NAMES, "classes of arrays")
    return call


def _empty_bytes(_: InspectionCollector, call: CallResult, arguments: tuple[Any, ...]) -> Any:
    """Empty bytes in a pickle of protocol 0, 1 or 2: a call of `bytes` without arguments."""
    if call.callee.module == "builtins" and not arguments:
        return encoded_blob("")
    return call


# Handlers by function name without the module: other packages (joblib, ray, pyspark) contain
# copies of cloudpickle, and dill has its own names.
_CALL_HANDLERS: dict[str, Callable[[InspectionCollector, CallResult, tuple[Any, ...]], Any]] = {
    "_builtin_type": _type_by_name,
    "_load_type": _type_by_name,
    "CodeType": _make_code,
    "code": _make_code,
    "_create_code": _make_code,
    "__pyx_unpickle_NDArrayBacked": _restore_array,
    "encode": _encode,
    "bytes": _empty_bytes,
    "subimport": _import,
    "_import_module": _import,
    "import_module": _import,
    "__import__": _import,
    "_function_setstate": _add_state,
    "_class_setstate": _add_state,
}
