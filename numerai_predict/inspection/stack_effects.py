"""Whether a code object keeps its stack in order, as one Python would run it.

Two Pythons may read the same bytes as different instructions, all in range: as an
intrinsic call here, as a jump there. Followed through all its branches, the wrong
reading takes what is not there, or meets itself with another depth.
"""

from __future__ import annotations

from numerai_predict.inspection.bytecode import (
    Instruction,
    exception_handlers,
    instructions,
    jump_target,
)
from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.opcode_tables import Table

_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"}
_ALWAYS_JUMPS = {
    "JUMP_ABSOLUTE",
    "JUMP_FORWARD",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
}
_JUMPS = {"absolute jump", "forward jump", "backward jump"}


def has_consistent_stack(code: Code, table: Table) -> bool:
    """Whether every way through the code finds the stack as deep as every other way.

    Code that is legal for the table alone may be asked about. True where the table
    does not tell what instructions do to the stack.
    """
    if not table.has_effects:
        return True
    by_place = {each.at: each for each in instructions(code.fields["code"], table)}
    depths: dict[int, int] = {}
    left = [(_entry_point(by_place), _entry_depth(by_place))]
    left += [(target, depth) for target, depth in exception_handlers(code, table)]
    while left:
        at, depth = left.pop()
        if at not in depths and at in by_place:
            depths[at] = depth
            left += _successors(by_place[at], depth, table)
        elif depths.get(at) != depth:
            return False
        if not 0 <= depth <= code.fields["stacksize"]:
            return False
    return True


def _entry_point(by_place: dict[int, Instruction]) -> int:
    """Where a call begins: what a generator does before `RESUME` belongs to its caller."""
    return next((at for at, each in by_place.items() if each.opcode.name == "RESUME"), 0)


def _entry_depth(by_place: dict[int, Instruction]) -> int:
    return int(by_place[0].opcode.name == "GEN_START")


def _successors(each: Instruction, depth: int, table: Table) -> list[tuple[int, int]]:
    """Where it goes on from an instruction, and how deep the stack is there."""
    found = []
    if each.opcode.argument in _JUMPS:
        jumped = depth + each.opcode.adds(each.argument, jumps=True)
        found.append((jump_target(each, table), jumped))
    if each.opcode.name not in _ENDS | _ALWAYS_JUMPS:
        found.append((each.after, depth + each.opcode.adds(each.argument)))
    return found
