"""Check a code object's instructions against the opcode table of a Python version.

A code object is legal for a Python version if that version's compiler could have written it:
every opcode exists, every argument is in range, every inline cache is present and zero, every
jump leads to an instruction, and start and end have the required instructions.
"""

from __future__ import annotations

from numerai_predict.inspection.bytecode.instructions import (
    EXTENDED_ARG,
    FIRST_WITH_RESUME,
    Illegal,
    Instruction,
    exception_handlers,
    instructions,
    is_jump,
    jump_target,
)
from numerai_predict.inspection.bytecode.opcode_tables import Table
from numerai_predict.inspection.code_objects import Code

_BEFORE_RESUME = {"COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "POP_TOP", EXTENDED_ARG}
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


def find_fault(code: Code, table: Table) -> str | None:
    """Why this Python's compiler cannot have written the code; `None` if it can.

    Code that was too large to keep counts as legal.
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


def _check(code: Code, table: Table) -> None:
    bytecode = code.fields["code"]
    if len(bytecode) % 2:
        raise Illegal("an odd number of bytes")
    limits = _ArgumentLimits(code, table)
    is_start = bytearray(len(bytecode) // 2)
    jumps: list[int] = []
    opening: list[str] = []
    for instruction in instructions(bytecode, table):
        is_start[instruction.position] = 1
        if instruction.opcode.argument:
            limits.check(instruction)
            if is_jump(instruction):
                jumps.append(jump_target(instruction, table))
        if len(opening) < len(is_start) and not _is_begun(opening):
            opening.append(instruction.opcode.name)
            last_argument = instruction.argument
    if table.version >= FIRST_WITH_RESUME and instruction.opcode.name not in _LAST:
        raise Illegal(f"{instruction.opcode.name} at the end")
    _check_beginning(code, table, opening, last_argument)
    for target in (*jumps, *(target for target, _ in exception_handlers(code, table))):
        if not 0 <= target < len(is_start) or not is_start[target]:
            raise Illegal(f"a jump to {2 * target}, where no instruction starts")
    if jumps:
        _check_unit(code, table)


def _is_begun(opening: list[str]) -> bool:
    return bool(opening) and opening[-1] not in _BEFORE_RESUME


def _check_beginning(code: Code, table: Table, opening: list[str], last_argument: int) -> None:
    """Since 3.11 a function starts with RESUME, a generator with its own opcode before it."""
    is_generator = bool(code.fields["flags"] & _GENERATOR_FLAGS)
    if table.version < FIRST_WITH_RESUME:
        if (opening[0] == "GEN_START") != (is_generator and table.python == "3.10"):
            raise Illegal(f"{opening[0]} at the start")
        return
    if opening[-1] != "RESUME" or last_argument & _RESUME_KIND:
        raise Illegal("no RESUME at the start")
    if ("RETURN_GENERATOR" in opening) != is_generator:
        raise Illegal("a generator without RETURN_GENERATOR at the start")


def _check_unit(code: Code, table: Table) -> None:
    """Distinguish 3.10 from 3.8 and 3.9, whose jumps have other units.

    The line table of 3.10 covers the whole code, those of 3.8 and 3.9 end where the last line
    starts. Code without jumps is legal for all three.
    """
    lines: bytes = code.fields["linetable"]
    if table.version >= FIRST_WITH_RESUME or not lines:
        return
    covers_all = sum(lines[::2]) == len(code.fields["code"])
    if covers_all != (table.jump_unit == 2):
        raise Illegal("the line table of another Python")


class _ArgumentLimits:
    """The ranges of instruction arguments of one code object."""

    def __init__(self, code: Code, table: Table) -> None:
        fields = code.fields
        cells, free = fields["cellvars"], fields["freevars"]
        variables = len(fields["varnames"])
        if table.version < FIRST_WITH_RESUME:
            local_slots, first_cell, slots = variables, 0, len(cells) + len(free)
        else:  # one array: variables, cells that are not variables, free variables
            other_cells = len(set(cells) - set(fields["varnames"]))
            first_cell = 0 if other_cells < len(cells) else variables
            slots = local_slots = variables + other_cells + len(free)
        self._ranges = {
            "constant": (0, len(fields["constants"])),
            "name": (0, len(fields["names"])),
            "local": (0, local_slots),
            "cell": (first_cell, slots),
            "number of free variables": (len(free), len(free) + 1),
        }

    def check(self, instruction: Instruction) -> None:
        """Check an instruction's argument.

        Raises:
            Illegal: the argument is out of range.
        """
        opcode = instruction.opcode
        kind, value = opcode.argument, instruction.argument >> opcode.flag_bits
        if kind in self._ranges:
            low, high = self._ranges[kind]
            if not low <= value < high:
                raise Illegal(f"{opcode.name} of {kind} {value}, of {high}")
        elif kind == "two locals":
            if max(value >> 4, value & 15) >= self._ranges["local"][1]:
                raise Illegal(f"{opcode.name} of a local variable that does not exist")
        elif kind == "number" and opcode.values and value >= opcode.values:
            raise Illegal(f"{opcode.name} of {value}, of {opcode.values}")
