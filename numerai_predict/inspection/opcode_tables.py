"""What is known of CPython 3.8 to 3.14: which bytes of code mean what, which modules it has."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "data/pythons.json"


@dataclass(frozen=True, eq=False)
class Opcode:
    """One instruction: what its argument counts, and the inline cache after it.

    `flag_bits` low bits of the argument are flags; above them it takes one of
    `values` values (0: as many as the code has). `cache` counts entries of two bytes.
    `effect` and `jump_effect` are what it adds to the stack: a number, two from which
    the others follow in equal steps, or one for each of the first arguments.
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
        """What it adds to the stack, negative for what it takes, when it jumps or goes on."""
        effect = self.jump_effect if jumps else self.effect
        if isinstance(effect, int):
            return effect
        if len(effect) == 2:
            return effect[0] + (effect[1] - effect[0]) * argument
        if argument < len(effect):
            return effect[argument]
        last = len(effect) - 2 + argument % 2  # beyond, only the lowest bit may be a flag
        return effect[last] + (argument - last) // 2 * (effect[-2] - effect[-4])


@dataclass(frozen=True)
class Table:
    """The instructions of one Python, by number; `jump_unit` 1 counts bytes, 2 code units.

    `standard_library` names its modules, from 3.10 on.
    """

    python: str
    jump_unit: int
    opcodes: tuple[Opcode | None, ...]
    standard_library: frozenset[str]

    @functools.cached_property
    def has_effects(self) -> bool:
        """Whether it is known what the instructions do to the stack."""
        return any(opcode is not None and opcode.effect for opcode in self.opcodes)

    @property
    def version(self) -> tuple[int, ...]:
        """The Python's version as numbers, for comparisons."""
        return tuple(int(part) for part in self.python.split("."))


@functools.cache
def tables() -> tuple[Table, ...]:
    """One table a Python, oldest first."""
    found = json.loads(_FILE.read_text())
    return tuple(_table(python, facts) for python, facts in found.items() if python != "//")


def _table(python: str, facts: dict[str, Any]) -> Table:
    opcodes: list[Opcode | None] = [None] * 256
    for name, entry in facts["opcodes"].items():
        opcodes[entry["number"]] = Opcode(name=name, **entry)
    library = frozenset(facts["standard_library"].split())
    return Table(python, facts["jump_unit"], tuple(opcodes), library)
