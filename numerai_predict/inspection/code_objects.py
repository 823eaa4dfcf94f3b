"""Code objects as a pickle stores them: the arguments of `types.CodeType`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numerai_predict.inspection.placeholders import UNKNOWN, Blob, Unknown

# The parameters of CodeType in order: 16 before Python 3.11, 18 since, which added the
# qualified name and the exception table.
_FIRST = (
    "argcount posonlyargcount kwonlyargcount nlocals stacksize flags code constants names "
    "varnames filename name"
)
_BEFORE_311 = f"{_FIRST} firstlineno linetable freevars cellvars".split()
_SINCE_311 = f"{_FIRST} qualname firstlineno linetable exceptiontable freevars cellvars".split()
_LAYOUTS = {16: _BEFORE_311, 18: _SINCE_311}
_FIRST_OF_18_FIELDS = (3, 11)

_NUMBERS = ("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags")
_NAMES = ("names", "varnames", "freevars", "cellvars")
_VARARGS, _VARKEYWORDS = 0x04, 0x08
# Limits on the time that the checks of one code object take; larger fields are not kept.
_MAX_BYTES = 256 * 1024
_MAX_ITEMS = 20_000
_OBJECT_BYTES = 2_000


@dataclass(frozen=True, eq=False)
class Code:
    """A code object: its fields by name, as stored in the pickle.

    `count` is the number of fields. `fault` says why no Python accepts it; `complete` is
    false if a field was too large to keep.
    """

    count: int
    fields: dict[str, Any] = field(repr=False)
    fault: str | None = None
    complete: bool = True

    @property
    def kept_bytes(self) -> int:
        """About how much memory it takes, without the names."""
        return _OBJECT_BYTES + sum(
            len(value) for value in self.fields.values() if isinstance(value, bytes)
        )

    @property
    def name(self) -> str:
        """The function's qualified name, `<lambda>` for a lambda."""
        name = self.fields.get("qualname") or self.fields.get("name")
        return name if isinstance(name, str) else "a function"

    def fits(self, version: tuple[int, ...]) -> bool:
        """Whether this Python version's `CodeType` takes this number of fields."""
        return (self.count == len(_SINCE_311)) == (version >= _FIRST_OF_18_FIELDS)

    @property
    def parameters(self) -> list[str]:
        """The parameters as in a signature; empty if the code object is faulty or incomplete."""
        if self.fault or not self.complete:
            return []
        names, count = list(self.fields["varnames"]), self.fields["argcount"]
        next_index = count + self.fields["kwonlyargcount"]
        keyword_only = names[count:next_index]
        parameters = names[:count]
        if self.fields["flags"] & _VARARGS:
            parameters.append(f"*{names[next_index]}")
            next_index += 1
        elif keyword_only:
            parameters.append("*")
        parameters += keyword_only
        if self.fields["flags"] & _VARKEYWORDS:
            parameters.append(f"**{names[next_index]}")
        return parameters


def parse_code(arguments: tuple[Any, ...]) -> Code:
    """The code object for these arguments of `CodeType`."""
    layout = _LAYOUTS.get(len(arguments))
    if layout is None:
        return Code(len(arguments), {}, f"a code object of {len(arguments)} fields")
    fields = dict(zip(layout, arguments, strict=True))
    for name in ("code", "linetable", "exceptiontable"):
        if isinstance(fields.get(name), Blob):
            fields[name] = fields[name].read() if fields[name].size <= _MAX_BYTES else UNKNOWN
    for name in _NAMES:
        if isinstance(fields[name], tuple) and len(fields[name]) > _MAX_ITEMS:
            fields[name] = UNKNOWN
    complete = not any(_is_unknown(fields[name]) for name in layout if name != "constants")
    return Code(len(arguments), fields, _field_fault(fields) if complete else None, complete)


def _is_unknown(value: Any) -> bool:
    return isinstance(value, Unknown) or (
        isinstance(value, tuple) and any(isinstance(part, Unknown) for part in value)
    )


def _field_fault(fields: dict[str, Any]) -> str | None:
    """Why `CodeType` of every Python rejects the fields; `None` if it accepts them."""
    for name in _NUMBERS:
        if type(fields[name]) is not int or fields[name] < 0:
            return f"a code object whose {name} is not a number"
    for name in ("code", "linetable", "exceptiontable"):
        if name in fields and not isinstance(fields[name], bytes):
            return f"a code object whose {name} is not bytes"
    for name in (*_NAMES, "constants"):
        if not isinstance(fields[name], tuple):
            return f"a code object whose {name} are not a tuple"
    if not all(isinstance(part, str) for name in _NAMES for part in fields[name]):
        return "a code object whose names are not strings"
    return _count_fault(fields)


def _count_fault(fields: dict[str, Any]) -> str | None:
    if not fields["code"]:
        return "a code object without code"
    if fields["nlocals"] != len(fields["varnames"]):
        return (
            "a code object whose number of local variables differs from the number of their names"
        )
    variadic = bool(fields["flags"] & _VARARGS) + bool(fields["flags"] & _VARKEYWORDS)
    if fields["argcount"] + fields["kwonlyargcount"] + variadic > fields["nlocals"]:
        return "a code object with more parameters than local variables"
    if fields["posonlyargcount"] > fields["argcount"]:
        return "a code object with more positional-only parameters than parameters"
    return None
