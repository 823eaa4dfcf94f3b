"""Whether a Python would run a code object: its instructions against that Python's table.

A code object is legal for a Python when that Python's compiler could have written
it: every opcode exists, every argument is in range, every inline cache is there and
zero, every jump leads to an instruction, and it begins and ends as code does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.opcode_tables import Opcode, Table

_EXTENDED = "EXTENDED_ARG"
_FIRST_WITH_RESUME = (3, 11)
_BEFORE_RESUME = {"COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "POP_TOP", _EXTENDED}
_GENERATOR_FLAGS = 0x20 | 0x80 | 0x200
_LAST = {
    "RETURN_VALUE",
    "RETURN_CONST",
    "RAISE_VARARGS",
    "RERAISE",
    "JUMP_ABSOLUTE",
    "JUMP_FORWARD",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
}
_RESUME_KIND = 3
# Its argument is for tools that watch a run; the loop itself never jumps by it.
_NO_JUMP = {"END_ASYNC_FOR"}


@dataclass(frozen=True)
class Instruction:
    """An instruction at a code unit (two bytes each); `after` is the next one's place."""

    at: int
    opcode: Opcode
    argument: int
    after: int


class Illegal(Exception):
    """Bytes that the Python of the table would not run; the text says which and why."""


def find_fault(code: Code, table: Table) -> str | None:
    """Why this Python cannot have written the code; `None` if it can.

    Code that was too large to keep counts as legal for all.
    """
    if code.fault or not code.complete:
        return code.fault
    if not code.fits(table.version):
        return f"{code.count} fields"
    try:
        _check(code, table)
    except Illegal as illegal:
        return str(illegal)
    return None


def imported_modules(code: Code, table: Table) -> list[str]:
    """The modules that the code imports when it runs, as they stand in it."""
    names = code.fields["names"]
    return [
        names[each.argument]
        for each in instructions(code.fields["code"], table)
        if each.opcode.name == "IMPORT_NAME"
    ]


def instructions(code: bytes, table: Table) -> Iterator[Instruction]:
    """The instructions in turn, with prefixes and caches taken in.

    Raises:
        Illegal: an opcode that this Python has not, or an inline cache that is not zero.
    """
    units, opcodes = len(code) // 2, table.opcodes
    at = start = extended = 0
    while at < units:
        opcode = opcodes[code[2 * at]]
        if opcode is None:
            raise Illegal(f"opcode {code[2 * at]} at {2 * at}")
        argument = extended << 8 | code[2 * at + 1]
        at += 1
        if opcode.name == _EXTENDED:
            extended = argument
            continue
        if opcode.cache:
            cache = code[2 * at : 2 * (at + opcode.cache)]
            if len(cache) < 2 * opcode.cache or any(cache):
                raise Illegal(f"no cache of {opcode.cache} after {opcode.name} at {2 * start}")
            at += opcode.cache
        yield Instruction(start, opcode, argument, at)
        start, extended = at, 0
    if start != units:
        raise Illegal("a prefix at the end")


def _check(code: Code, table: Table) -> None:
    raw = code.fields["code"]
    if len(raw) % 2:
        raise Illegal("an odd number of bytes")
    bounds = _ArgumentLimits(code, table)
    starts = bytearray(len(raw) // 2)
    jumps: list[int] = []
    names: list[str] = []
    for each in instructions(raw, table):
        starts[each.at] = 1
        if each.opcode.argument:
            bounds.check(each, jumps)
        if len(names) < len(starts) and not _is_begun(names):
            names.append(each.opcode.name)
            last_argument = each.argument
    if table.version >= _FIRST_WITH_RESUME and each.opcode.name not in _LAST:
        raise Illegal(f"{each.opcode.name} at the end")
    _check_beginning(code, table, names, last_argument)
    for target in (*jumps, *(target for target, _ in exception_handlers(code, table))):
        if not 0 <= target < len(starts) or not starts[target]:
            raise Illegal(f"a jump to {2 * target}, where no instruction begins")
    if jumps:
        _check_unit(code, table)


def _is_begun(names: list[str]) -> bool:
    return bool(names) and names[-1] not in _BEFORE_RESUME


def _check_beginning(code: Code, table: Table, names: list[str], last_argument: int) -> None:
    """Since 3.11 a function begins with RESUME; generators with their own opcode."""
    is_generator = bool(code.fields["flags"] & _GENERATOR_FLAGS)
    if table.version < _FIRST_WITH_RESUME:
        if (names[0] == "GEN_START") != (is_generator and table.python == "3.10"):
            raise Illegal(f"{names[0]} at the beginning")
        return
    if names[-1] != "RESUME" or last_argument & _RESUME_KIND:
        raise Illegal("no RESUME at the beginning")
    if ("RETURN_GENERATOR" in names) != is_generator:
        raise Illegal("a generator that does not begin as one")


def _check_unit(code: Code, table: Table) -> None:
    """Tell 3.10 from 3.8 and 3.9: their jumps look alike and count other units.

    The line table tells: 3.10's covers the whole code, its forerunners' ends
    where the last line begins. Without jumps the code runs on all three.
    """
    lines: bytes = code.fields["linetable"]
    if table.version >= _FIRST_WITH_RESUME or not lines:
        return
    covers_all = sum(lines[::2]) == len(code.fields["code"])
    if covers_all != (table.jump_unit == 2):
        raise Illegal("the line table of another Python")


def exception_handlers(code: Code, table: Table) -> list[tuple[int, int]]:
    """Where exceptions are handled, and how deep the stack is there; since 3.11 a table tells.

    Raises:
        Illegal: an entry goes beyond the code.
    """
    if table.version < _FIRST_WITH_RESUME:
        return []
    data = iter(code.fields["exceptiontable"])
    found = []
    for first in data:
        start, length = _varint(data, first), _varint(data, next(data, 0))
        target, depth = _varint(data, next(data, 0)), _varint(data, next(data, 0))
        if start + length > len(code.fields["code"]) // 2:
            raise Illegal("an exception table that goes beyond the code")
        # The exception itself is pushed, and where the lowest bit says so its place too.
        found.append((target, (depth >> 1) + (depth & 1) + 1))
    return found


def _varint(data: Iterator[int], first: int) -> int:
    value, byte = first & 63, first
    while byte & 64:
        byte = next(data, 0)
        value = value << 6 | byte & 63
    return value


class _ArgumentLimits:
    """What the arguments of one code object may be."""

    def __init__(self, code: Code, table: Table) -> None:
        fields = code.fields
        cells, free = fields["cellvars"], fields["freevars"]
        self._table = table
        self._free = len(free)
        if table.version < _FIRST_WITH_RESUME:
            locals_, first_cell, places = len(fields["varnames"]), 0, len(cells) + len(free)
        else:  # one row of places: variables, those cells that are no variables, free ones
            others = len(set(cells) - set(fields["varnames"]))
            first_cell = 0 if others < len(cells) else len(fields["varnames"])
            places = locals_ = len(fields["varnames"]) + others + len(free)
        self._below = {
            "constant": (0, len(fields["constants"])),
            "name": (0, len(fields["names"])),
            "local": (0, locals_),
            "cell": (first_cell, places),
            "number of free variables": (self._free, self._free + 1),
        }

    def check(self, each: Instruction, jumps: list[int]) -> None:
        """Take an instruction's argument, and where it jumps to.

        Raises:
            Illegal: the argument is out of range.
        """
        kind, value = each.opcode.argument, each.argument >> each.opcode.flag_bits
        if kind in self._below:
            low, high = self._below[kind]
            if not low <= value < high:
                raise Illegal(f"{each.opcode.name} of {kind} {value}, of {high}")
        elif kind == "two locals":
            if max(value >> 4, value & 15) >= self._below["local"][1]:
                raise Illegal(f"{each.opcode.name} of local variables that are not there")
        elif kind == "number":
            if each.opcode.values and value >= each.opcode.values:
                raise Illegal(f"{each.opcode.name} of {value}, of {each.opcode.values}")
        elif each.opcode.name not in _NO_JUMP:
            jumps.append(jump_target(each, self._table))


def jump_target(each: Instruction, table: Table) -> int:
    """The code unit that an instruction jumps to.

    Raises:
        Illegal: it lies within an instruction.
    """
    distance, rest = each.argument, 0
    if table.jump_unit == 1:
        distance, rest = divmod(each.argument, 2)
    if rest:
        raise Illegal(f"{each.opcode.name} into the middle of an instruction")
    if each.opcode.argument == "absolute jump":
        return distance
    return each.after + (distance if each.opcode.argument == "forward jump" else -distance)
