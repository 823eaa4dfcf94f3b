"""The pickled callable: its name and parameters, from placeholders."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from numerai_predict.contract.foreign_text import MAX_NAME_CHARACTERS, inert
from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.placeholders import LIST, CallResult, Global, Mapping

_MAX_DEPTH = 8
# A state tuple has two parts; a hostile one is not searched to its end.
_MAX_PARTS = 100


@dataclass(frozen=True)
class CallableSummary:
    """The pickled object: `kind` in a few words, its name, and its parameters if known."""

    kind: str
    name: str | None = None
    parameters: list[str] | None = None

    def __post_init__(self) -> None:
        """Make the names bounded and printable."""
        for name in ("kind", "name", "parameters"):
            value = inert(getattr(self, name), MAX_NAME_CHARACTERS)
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        title = self.name or self.kind
        return title if self.parameters is None else f"{title}({', '.join(self.parameters)})"


def describe_callable(value: Any, depth: int = 0) -> CallableSummary:
    """Describe the object that a placeholder stands for."""
    if isinstance(value, Global):
        return CallableSummary("a reference to a name", str(value).rstrip("."))
    if isinstance(value, CallResult) and depth < _MAX_DEPTH:
        return _describe_call(value, depth)
    if value is LIST:
        return CallableSummary("a list")
    kinds = {Mapping: "a dict", tuple: "a tuple", str: "a string"}
    return CallableSummary(kinds.get(type(value), "an object"))


def _describe_call(call: CallResult, depth: int) -> CallableSummary:
    arguments = call.arguments if isinstance(call.arguments, tuple) else ()
    first = arguments[0] if arguments else None
    if isinstance(first, Code):
        return CallableSummary("a function", first.name, first.parameters)
    callee = str(call.callee) if isinstance(call.callee, Global) else ""
    if callee == "functools.partial":
        function = first or next((s[0] for s in call.states if isinstance(s, tuple) and s), None)
        inner = describe_callable(function, depth + 1)
        return CallableSummary("a partial", f"partial of {inner.name or inner.kind}", None)
    if callee == "types.MethodType":
        inner = describe_callable(first, depth + 1)
        return CallableSummary("a method", inner.name, (inner.parameters or [])[1:] or None)
    if callee in ("builtins.getattr", "__builtin__.getattr") and len(arguments) == 2:
        return _describe_attribute(first, arguments[1], depth)
    return _describe_instance(call)


def _describe_attribute(owner: Any, name: Any, depth: int) -> CallableSummary:
    if isinstance(owner, CallResult) and isinstance(name, str):
        method = _method(owner.callee, name) or _method(owner, name)
        if method:
            return _without_self(describe_callable(method, depth + 1), "a method")
    return CallableSummary("a method", str(name))


def _describe_instance(call: CallResult) -> CallableSummary:
    """Describe an instance; if its class is in the pickle, `__call__` has the parameters."""
    arguments = call.arguments if isinstance(call.arguments, tuple) else ()
    kind = arguments[0] if _is_new(call.callee) and arguments else call.callee
    method = _method(kind, "__call__")
    name = _class_name(kind)
    if method is None:
        return CallableSummary(f"an instance of {name}", name)
    parameters = _without_self(describe_callable(method, 1), "").parameters
    return CallableSummary(f"an instance of {name}", name, parameters)


def _without_self(summary: CallableSummary, kind: str) -> CallableSummary:
    return CallableSummary(kind, summary.name, (summary.parameters or ["self"])[1:])


def _is_new(callee: Any) -> bool:
    return isinstance(callee, Global) and callee.name in ("__newobj__", "_reconstructor")


def _class_name(kind: Any) -> str:
    if isinstance(kind, Global):
        return str(kind)
    if isinstance(kind, CallResult) and isinstance(kind.arguments, tuple):
        parts = islice(kind.arguments, _MAX_PARTS)
        return next((part for part in parts if isinstance(part, str)), "a class")
    return "a class"


def _method(kind: Any, name: str) -> Any:
    """The placeholder of a method of a class that the pickle contains; `None` if unknown."""
    for state in kind.states if isinstance(kind, CallResult) else ():
        for part in state[:_MAX_PARTS] if isinstance(state, tuple) else (state,):
            if isinstance(part, Mapping) and part.get(name):
                return part.get(name)
    return None
