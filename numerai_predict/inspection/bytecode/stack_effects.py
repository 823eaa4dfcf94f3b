"""Check that a code object's stack depth is consistent for one Python version.

Two Python versions may decode the same bytes as different valid instructions: as an intrinsic
call in one, as a jump in the other. If all branches are followed, the wrong decoding pops from
an empty stack, or reaches an instruction with different depths.
"""

from __future__ import annotations

from numerai_predict.inspection.bytecode.instructions import (
    JUMP_KINDS,
    Instruction,
    exception_handlers,
    instructions,
    jump_target,
)
from numerai_predict.inspection.bytecode.opcode_tables import Table
from numerai_predict.inspection.code_objects import Code

_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"}
_ALWAYS_JUMPS = {
    "JUMP_ABSOLUTE",
    "JUMP_FORWARD",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
}


def has_consistent_stack(code: Code, table: Table) -> bool:
    """Whether each instruction has the same stack depth on every path that reaches it.

    The code must be legal for the table. True if the table has no stack effects.
    """
    if not table.has_effects:
        return True
    by_position = {each.position: each for each in instructions(code.fields["code"], table)}
    depths: dict[int, int] = {}
    pending = [(_entry_point(by_position), _entry_depth(by_position))]
    pending += [(target, depth) for target, depth in exception_handlers(code, table)]
    while pending:
        position, depth = pending.pop()
        if position not in depths and position in by_position:
            depths[position] = depth
            pending += _successors(by_position[position], depth, table)
        elif depths.get(position) != depth:
            return False
        if not 0 <= depth <= code.fields["stacksize"]:
            return False
    return True


def _entry_point(by_position: dict[int, Instruction]) -> int:
    """The position where a call starts: a generator's code before `RESUME` runs in its caller."""
    return next((at for at, each in by_position.items() if each.opcode.name == "RESUME"), 0)


def _entry_depth(by_position: dict[int, Instruction]) -> int:
    return int(by_position[0].opcode.name == "GEN_START")


def _successors(instruction: Instruction, depth: int, table: Table) -> list[tuple[int, int]]:
    """The positions that may follow an instruction, with the stack depth there."""
    successors = []
    if instruction.opcode.argument in JUMP_KINDS:
        jumped = depth + instruction.opcode.adds(instruction.argument, jumps=True)
        successors.append((jump_target(instruction, table), jumped))
    if instruction.opcode.name not in _ENDS | _ALWAYS_JUMPS:
        successors.append((instruction.end, depth + instruction.opcode.adds(instruction.argument)))
    return successors
