"""Bytecode instructions and standard library modules of CPython 3.8 to 3.14."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_FILE = files("numerai_predict.inspection") / "data/pythons.json"


@dataclass(frozen=True, eq=False)
class Opcode:
    """One instruction of a Python version.

    `argument` is the kind of its argument. The low `flag_bits` bits of the argument are
    flags; the rest takes one of `values` values (0: limited by the code object). `cache` is
    the size of the inline cache in code units of two bytes. `effect` and `jump_effect` are
    the change of the stack depth: one number, two numbers of a linear sequence over the
    argument, or one number for each of the first arguments.
    """

    name: str
    number: int
    argument: str = ""
    cache: int = 0
    flag_bits: int = 0
    values: int = 0
    effect: int | list[int] = 0
    jump_effect: int | list[int] = 0

    def adds(self, argument: int, *, jumps: bool = False) -> int:
        """The change of the stack depth, if it jumps or if it continues."""
        effect = self.jump_effect if jumps else self.effect
        if isinstance(effect, int):
            return effect
        if len(effect) == 2:
            return effect[0] + (effect[1] - effect[0]) * argument
        if argument < len(effect):
            return effect[argument]
        last = len(effect) - 2 + argument % 2  # beyond the list only the lowest bit can be a flag
        return effect[last] + (argument - last) // 2 * (effect[-2] - effect[-4])


@dataclass(frozen=True)
class Table:
    """The instructions of one Python version, by opcode number.

    Jumps count bytes if `jump_unit` is 1, code units if it is 2. `standard_library` has the
    names of its top-level modules, for 3.10 and later.
    """

    python: str
    jump_unit: int
    opcodes: tuple[Opcode | None, ...]
    standard_library: frozenset[str]

    @functools.cached_property
    def has_effects(self) -> bool:
        """Whether the stack effects of the instructions are known."""
        return any(opcode is not None and opcode.effect for opcode in self.opcodes)

    @property
    def version(self) -> tuple[int, ...]:
        """The Python version as numbers, for comparisons."""
        return tuple(int(part) for part in self.python.split("."))


@functools.cache
def tables() -> tuple[Table, ...]:
    """The table of each Python version, oldest first."""
    entries = json.loads(_FILE.read_text())
    return tuple(_table(python, entry) for python, entry in entries.items() if python != "//")


def _table(python: str, entry: dict[str, Any]) -> Table:
    opcodes: list[Opcode | None] = [None] * 256
    for name, fields in entry["opcodes"].items():
        opcodes[fields["number"]] = Opcode(name=name, **fields)
    library = frozenset(entry["standard_library"].split())
    return Table(python, entry["jump_unit"], tuple(opcodes), library)
