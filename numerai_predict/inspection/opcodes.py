"""The opcodes of pickle protocols 0 to 5, as the inspection follows them.

A function an opcode: it takes the machine and the position after the opcode, and
returns the position of the next. The bytes are those that `pickletools` tells of.
"""

from __future__ import annotations

from numerai_predict.inspection import container_opcodes, object_opcodes, scalar_opcodes
from numerai_predict.inspection.pickle_vm import Operation
from numerai_predict.inspection.placeholders import UNKNOWN

_BY_CODE: dict[bytes, Operation] = {
    b"(": container_opcodes.mark,
    b".": container_opcodes.stop,
    b"0": container_opcodes.pop,
    b"1": container_opcodes.pop_mark,
    b"2": container_opcodes.dup,
    b"F": scalar_opcodes.line(scalar_opcodes.read_float),
    b"I": scalar_opcodes.line(scalar_opcodes.read_int),
    b"L": scalar_opcodes.line(scalar_opcodes.read_int),
    b"J": scalar_opcodes.number(b"J", scalar_opcodes.I4),
    b"K": scalar_opcodes.number(b"K", scalar_opcodes.U1),
    b"M": scalar_opcodes.number(b"M", scalar_opcodes.U2),
    b"G": scalar_opcodes.number(b"G", scalar_opcodes.U8, is_kept=False),
    b"N": scalar_opcodes.constant(None),
    b"\x88": scalar_opcodes.constant(True),
    b"\x89": scalar_opcodes.constant(False),
    b"\x8a": scalar_opcodes.long(scalar_opcodes.U1),
    b"\x8b": scalar_opcodes.long(scalar_opcodes.U4),
    b"P": scalar_opcodes.line(lambda _: UNKNOWN),
    b"Q": object_opcodes.binary_persistent,
    b"R": object_opcodes.reduce,
    b"\x81": object_opcodes.newobj,
    b"\x92": object_opcodes.newobj_ex,
    b"o": object_opcodes.obj,
    b"i": object_opcodes.inst,
    b"b": object_opcodes.build,
    b"S": scalar_opcodes.line(scalar_opcodes.read_quoted),
    b"T": scalar_opcodes.text(scalar_opcodes.U4, "latin-1"),
    b"U": scalar_opcodes.text(scalar_opcodes.U1, "latin-1"),
    b"V": scalar_opcodes.line(scalar_opcodes.read_escaped),
    b"\x8c": scalar_opcodes.text(scalar_opcodes.U1),
    b"X": scalar_opcodes.text(scalar_opcodes.U4),
    b"\x8d": scalar_opcodes.text(scalar_opcodes.U8),
    b"C": scalar_opcodes.payload(scalar_opcodes.U1),
    b"B": scalar_opcodes.payload(scalar_opcodes.U4),
    b"\x8e": scalar_opcodes.payload(scalar_opcodes.U8),
    b"\x96": scalar_opcodes.payload(scalar_opcodes.U8),
    b"\x97": scalar_opcodes.constant(UNKNOWN),
    b"\x98": lambda _, at: at,
    b"c": object_opcodes.by_name,
    b"\x93": object_opcodes.stack_global,
    b"a": container_opcodes.append,
    b"e": container_opcodes.extend_from_mark,
    b"\x90": container_opcodes.extend_from_mark,
    b"d": container_opcodes.make_dict,
    b"}": container_opcodes.empty_dict,
    b"l": container_opcodes.make_list,
    b"]": container_opcodes.empty_list,
    b"\x8f": container_opcodes.empty_list,
    b"\x91": container_opcodes.make_frozenset,
    b"s": container_opcodes.setitem,
    b"u": container_opcodes.setitems,
    b"t": container_opcodes.make_tuple,
    b")": scalar_opcodes.constant(()),
    b"\x85": container_opcodes.tuple_of(1),
    b"\x86": container_opcodes.tuple_of(2),
    b"\x87": container_opcodes.tuple_of(3),
    b"g": container_opcodes.get_line,
    b"h": container_opcodes.get_at(scalar_opcodes.U1),
    b"j": container_opcodes.get_at(scalar_opcodes.U4),
    b"p": container_opcodes.put_line,
    b"q": container_opcodes.put_at(scalar_opcodes.U1),
    b"r": container_opcodes.put_at(scalar_opcodes.U4),
    b"\x94": container_opcodes.memoize,
    b"\x82": scalar_opcodes.extension(scalar_opcodes.U1),
    b"\x83": scalar_opcodes.extension(scalar_opcodes.U2),
    b"\x84": scalar_opcodes.extension(scalar_opcodes.U4),
    b"\x80": container_opcodes.proto,
    b"\x95": container_opcodes.frame,
}

OPERATIONS: list[Operation] = [
    _BY_CODE.get(bytes([byte]), container_opcodes.no_opcode) for byte in range(256)
]
