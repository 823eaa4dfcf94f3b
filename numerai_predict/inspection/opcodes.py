"""The opcodes of pickle protocols 0 to 5, as the inspection follows them.

A function an opcode: it takes the machine and the position after the opcode, and
returns the position of the next. The bytes are those that `pickletools` tells of.
"""

from __future__ import annotations

from numerai_predict.inspection import containers, objects, scalars
from numerai_predict.inspection.machine import Operation
from numerai_predict.inspection.values import UNKNOWN

_BY_CODE: dict[bytes, Operation] = {
    b"(": containers.mark,
    b".": containers.stop,
    b"0": containers.pop,
    b"1": containers.pop_mark,
    b"2": containers.dup,
    b"F": scalars.line(scalars.read_float),
    b"I": scalars.line(scalars.read_int),
    b"L": scalars.line(scalars.read_int),
    b"J": scalars.number(b"J", scalars.I4),
    b"K": scalars.number(b"K", scalars.U1),
    b"M": scalars.number(b"M", scalars.U2),
    b"G": scalars.number(b"G", scalars.U8, is_kept=False),
    b"N": scalars.constant(None),
    b"\x88": scalars.constant(True),
    b"\x89": scalars.constant(False),
    b"\x8a": scalars.long(scalars.U1),
    b"\x8b": scalars.long(scalars.U4),
    b"P": scalars.line(lambda _: UNKNOWN),
    b"Q": objects.binary_persistent,
    b"R": objects.reduce,
    b"\x81": objects.newobj,
    b"\x92": objects.newobj_ex,
    b"o": objects.obj,
    b"i": objects.inst,
    b"b": objects.build,
    b"S": scalars.line(scalars.read_quoted),
    b"T": scalars.text(scalars.U4, "latin-1"),
    b"U": scalars.text(scalars.U1, "latin-1"),
    b"V": scalars.line(scalars.read_escaped),
    b"\x8c": scalars.text(scalars.U1),
    b"X": scalars.text(scalars.U4),
    b"\x8d": scalars.text(scalars.U8),
    b"C": scalars.payload(scalars.U1),
    b"B": scalars.payload(scalars.U4),
    b"\x8e": scalars.payload(scalars.U8),
    b"\x96": scalars.payload(scalars.U8),
    b"\x97": scalars.constant(UNKNOWN),
    b"\x98": lambda _, at: at,
    b"c": objects.by_name,
    b"\x93": objects.stack_global,
    b"a": containers.append,
    b"e": containers.extend_from_mark,
    b"\x90": containers.extend_from_mark,
    b"d": containers.make_dict,
    b"}": containers.empty_dict,
    b"l": containers.make_list,
    b"]": containers.empty_list,
    b"\x8f": containers.empty_list,
    b"\x91": containers.make_frozenset,
    b"s": containers.setitem,
    b"u": containers.setitems,
    b"t": containers.make_tuple,
    b")": scalars.constant(()),
    b"\x85": containers.tuple_of(1),
    b"\x86": containers.tuple_of(2),
    b"\x87": containers.tuple_of(3),
    b"g": containers.get_line,
    b"h": containers.get_at(scalars.U1),
    b"j": containers.get_at(scalars.U4),
    b"p": containers.put_line,
    b"q": containers.put_at(scalars.U1),
    b"r": containers.put_at(scalars.U4),
    b"\x94": containers.memoize,
    b"\x82": scalars.extension(scalars.U1),
    b"\x83": scalars.extension(scalars.U2),
    b"\x84": scalars.extension(scalars.U4),
    b"\x80": containers.proto,
    b"\x95": containers.frame,
}

OPERATIONS: list[Operation] = [
    _BY_CODE.get(bytes([byte]), containers.no_opcode) for byte in range(256)
]
