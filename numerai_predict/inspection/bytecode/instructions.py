"""Decodes a code object: instructions, jump targets and exception handlers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from numerai_predict.inspection.bytecode.opcode_tables import Opcode, Table
from numerai_predict.inspection.code_objects import Code

FIRST_WITH_RESUME = (3, 11)
EXTENDED_ARG = "EXTENDED_ARG"
_MAX_ARGUMENT = 0xFFFF_FFFF
JUMP_KINDS = {"absolute jump", "forward jump", "backward jump"}
# Its argument serves monitoring tools; the interpreter never jumps by it.
_NO_JUMP = {"END_ASYNC_FOR"}


@dataclass(frozen=True)
class Instruction:
    """An instruction; `position` and `end` count code units of two bytes."""

    position: int
    opcode: Opcode
    argument: int
    end: int


class Illegal(Exception):
    """The table's Python does not accept the bytes; the message says which and why."""


def instructions(code: bytes, table: Table) -> Iterator[Instruction]:
    """Decode the instructions, each with its prefixes and inline cache.

    Raises:
        Illegal: an opcode is unknown, or an inline cache is missing or not zero.
    """
    unit_count, opcodes = len(code) // 2, table.opcodes
    position = start = extended = 0
    while position < unit_count:
        opcode = opcodes[code[2 * position]]
        if opcode is None:
            raise Illegal(f"opcode {code[2 * position]} at {2 * position}")
        argument = extended << 8 | code[2 * position + 1]
        position += 1
        if opcode.name == EXTENDED_ARG:
            if argument > _MAX_ARGUMENT >> 8:
                raise Illegal(f"an argument of more than four bytes at {2 * start}")
            extended = argument
            continue
        if opcode.cache:
            cache = code[2 * position : 2 * (position + opcode.cache)]
            if len(cache) < 2 * opcode.cache or any(cache):
                raise Illegal(f"no cache of {opcode.cache} after {opcode.name} at {2 * start}")
            position += opcode.cache
        yield Instruction(start, opcode, argument, position)
        start, extended = position, 0
    if start != unit_count:
        raise Illegal("a prefix at the end")


def exception_handlers(code: Code, table: Table) -> list[tuple[int, int]]:
    """The positions of exception handlers with their stack depth; empty before Python 3.11.

    Raises:
        Illegal: an entry of the exception table goes beyond the code.
    """
    if table.version < FIRST_WITH_RESUME:
        return []
    data = iter(code.fields["exceptiontable"])
    entries = []
    for first in data:
        start, length = _varint(data, first), _varint(data, next(data, 0))
        target, depth = _varint(data, next(data, 0)), _varint(data, next(data, 0))
        if start + length > len(code.fields["code"]) // 2:
            raise Illegal("an exception table that goes beyond the code")
        # The exception is pushed and, if the lowest bit is set, the instruction's offset.
        entries.append((target, (depth >> 1) + (depth & 1) + 1))
    return entries


def _varint(data: Iterator[int], first: int) -> int:
    value, byte = first & 63, first
    while byte & 64:
        byte = next(data, 0)
        value = value << 6 | byte & 63
        if value > _MAX_ARGUMENT:
            raise Illegal("an exception table with a number of more than four bytes")
    return value


def is_jump(instruction: Instruction) -> bool:
    """Whether the interpreter may jump by the instruction's argument."""
    return instruction.opcode.argument in JUMP_KINDS and instruction.opcode.name not in _NO_JUMP


def jump_target(instruction: Instruction, table: Table) -> int:
    """The code unit that an instruction jumps to.

    Raises:
        Illegal: the target is not at a code unit.
    """
    distance, rest = instruction.argument, 0
    if table.jump_unit == 1:
        distance, rest = divmod(instruction.argument, 2)
    if rest:
        raise Illegal(f"{instruction.opcode.name} into the middle of an instruction")
    if instruction.opcode.argument == "absolute jump":
        return distance
    return instruction.end + (
        distance if instruction.opcode.argument == "forward jump" else -distance
    )
