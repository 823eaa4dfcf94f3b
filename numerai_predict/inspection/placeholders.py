"""Placeholders: what the pickle VM puts on its stack in place of the objects themselves.

Numbers, short strings and tuples are kept as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Unknown:
    """A value that was not kept: a float, an array, something too large."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()

# All lists and sets share one placeholder: no part of the report depends on their items.
LIST = Unknown()


@dataclass(frozen=True, slots=True)
class Global:
    """A module attribute that the pickle imports by reference."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class CallResult:
    """The result of calling `callee` with `arguments`; later `BUILD` opcodes add `states`."""

    callee: Any
    arguments: Any
    states: tuple[Any, ...] = ()


@dataclass(eq=False, slots=True)
class Mapping:
    """A dict, reduced to the call results that were stored in it, by key."""

    functions: dict[str, CallResult] | None = None

    def put(self, name: str, function: CallResult) -> None:
        """Store the result of a call, such as a function, under a key."""
        if self.functions is None:
            self.functions = {}
        self.functions[name] = function

    def get(self, name: str) -> CallResult | None:
        """The last call result stored under the key; `None` if there is none."""
        return (self.functions or {}).get(name)


@dataclass(eq=False, slots=True)
class Blob:
    """Bytes or a long string: the size, the first bytes, and a loader for the rest.

    `load(start, size)` returns a part of the bytes. It returns `None` if the file was
    compressed and the part is no longer in memory.
    """

    size: int
    head: bytes
    load: Callable[[int, int], bytes | None] = field(repr=False)

    def read(self) -> bytes | Unknown:
        """All bytes, or `UNKNOWN` if they were not kept."""
        if self.size <= len(self.head):
            return self.head[: self.size]
        return self.load(0, self.size) or UNKNOWN

    def part(self, start: int, size: int) -> bytes:
        """`size` bytes from `start` on; fewer, or none, if they were not kept."""
        kept = self.head[start : start + size]
        return kept if len(kept) == size else self.load(start, size) or kept


# The rest of a longer payload is not needed: code is shorter, and libraries begin with metadata.
_MAX_ENCODED_BYTES = 256 * 1024


def encoded_blob(text: Any) -> Blob | None:
    """The bytes of a string, or of the UTF-8 payload of one, encoded as Latin-1.

    Of a long string the first bytes are kept. `None` if the text is not known or not Latin-1.
    """
    if isinstance(text, Blob):
        return _encoded_payload(text)
    if not isinstance(text, str):
        return None
    try:
        encoded = text.encode("latin-1")
    except UnicodeEncodeError:
        return None
    return Blob(len(encoded), encoded[:_MAX_ENCODED_BYTES], _load_nothing)


def _encoded_payload(payload: Blob) -> Blob | None:
    utf_8 = payload.part(0, min(payload.size, _MAX_ENCODED_BYTES))
    is_whole = len(utf_8) == payload.size
    try:
        encoded = utf_8.decode(errors="strict" if is_whole else "ignore").encode("latin-1")
    except UnicodeError:
        return None
    return Blob(len(encoded) if is_whole else payload.size, encoded, _load_nothing)


def _load_nothing(_start: int, _size: int) -> None:
    return None
