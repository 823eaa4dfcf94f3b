"""What the pickle's stack holds under inspection: stand-ins, never the objects themselves.

Numbers, short texts and tuples stand for themselves.
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

# All lists and sets are one stand-in: nothing that is reported depends on what is in them.
LIST = Unknown()


@dataclass(frozen=True, slots=True)
class Global:
    """A name in a module that the pickle takes by reference."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class CallResult:
    """What calling `maker` with `arguments` would make; `states` are set on it later."""

    maker: Any
    arguments: Any
    states: tuple[Any, ...] = ()


@dataclass(eq=False, slots=True)
class Mapping:
    """A dict; of what is put into it, the functions by their names."""

    functions: dict[str, CallResult] | None = None

    def put(self, name: str, function: CallResult) -> None:
        """Keep a function, or whatever else is made by a call."""
        self.functions = {**(self.functions or {}), name: function}

    def get(self, name: str) -> CallResult | None:
        """The last function under a name; `None` where there is none."""
        return (self.functions or {}).get(name)


@dataclass(eq=False, slots=True)
class Blob:
    """Bytes or a long text: where they lie, and their beginning.

    `load` gives a part of them by start and length, less where the file was
    compressed and they are not kept.
    """

    size: int
    head: bytes
    load: Callable[[int, int], bytes | None] = field(repr=False)

    def read(self) -> bytes | Unknown:
        """All bytes, or `UNKNOWN` where they were not kept."""
        if self.size <= len(self.head):
            return self.head[: self.size]
        return self.load(0, self.size) or UNKNOWN

    def part(self, start: int, size: int) -> bytes:
        """Bytes from `start` on, nothing where they were not kept."""
        kept = self.head[start : start + size]
        return kept if len(kept) == size else self.load(start, size) or kept
