"""The handler of each opcode of pickle protocols 0 to 5.

A handler takes the VM and the position after the opcode, and returns the position of the
next opcode. Source of the opcode bytes: `pickletools.opcodes`.
"""

from __future__ import annotations

from numerai_predict.inspection.placeholders import UNKNOWN
from numerai_predict.inspection.virtual_machine import (
    container_opcodes,
    object_opcodes,
    scalar_opcodes,
)
from numerai_predict.inspection.virtual_machine.pickle_vm import Operation

_BY_CODE: dict[bytes, Operation] = {
    b"(": container_opcodes.load_mark,
    b".": container_opcodes.load_stop,
    b"0": container_opcodes.load_pop,
    b"1": container_opcodes.load_pop_mark,
    b"2": container_opcodes.load_dup,
    b"F": scalar_opcodes.line_opcode(scalar_opcodes.read_float),
    b"I": scalar_opcodes.line_opcode(scalar_opcodes.read_int),
    b"L": scalar_opcodes.line_opcode(scalar_opcodes.read_int),
    b"J": scalar_opcodes.number_opcode(b"J", scalar_opcodes.I4),
    b"K": scalar_opcodes.number_opcode(b"K", scalar_opcodes.U1),
    b"M": scalar_opcodes.number_opcode(b"M", scalar_opcodes.U2),
    b"G": scalar_opcodes.number_opcode(b"G", scalar_opcodes.U8, is_kept=False),
    b"N": scalar_opcodes.constant_opcode(None),
    b"\x88": scalar_opcodes.constant_opcode(True),
    b"\x89": scalar_opcodes.constant_opcode(False),
    b"\x8a": scalar_opcodes.long_opcode(scalar_opcodes.U1),
    b"\x8b": scalar_opcodes.long_opcode(scalar_opcodes.U4),
    b"P": scalar_opcodes.line_opcode(lambda _: UNKNOWN),
    b"Q": object_opcodes.load_binpersid,
    b"R": object_opcodes.load_reduce,
    b"\x81": object_opcodes.load_newobj,
    b"\x92": object_opcodes.load_newobj_ex,
    b"o": object_opcodes.load_obj,
    b"i": object_opcodes.load_inst,
    b"b": object_opcodes.load_build,
    b"S": scalar_opcodes.line_opcode(scalar_opcodes.read_quoted),
    b"T": scalar_opcodes.text_opcode(scalar_opcodes.U4, "latin-1"),
    b"U": scalar_opcodes.text_opcode(scalar_opcodes.U1, "latin-1"),
    b"V": scalar_opcodes.load_unicode,
    b"\x8c": scalar_opcodes.text_opcode(scalar_opcodes.U1),
    b"X": scalar_opcodes.text_opcode(scalar_opcodes.U4),
    b"\x8d": scalar_opcodes.text_opcode(scalar_opcodes.U8),
    b"C": scalar_opcodes.bytes_opcode(scalar_opcodes.U1),
    b"B": scalar_opcodes.bytes_opcode(scalar_opcodes.U4),
    b"\x8e": scalar_opcodes.bytes_opcode(scalar_opcodes.U8),
    b"\x96": scalar_opcodes.bytes_opcode(scalar_opcodes.U8),
    b"\x97": scalar_opcodes.constant_opcode(UNKNOWN),
    b"\x98": lambda _, position: position,
    b"c": object_opcodes.load_global,
    b"\x93": object_opcodes.load_stack_global,
    b"a": container_opcodes.load_append,
    b"e": container_opcodes.load_appends,
    b"\x90": container_opcodes.load_appends,
    b"d": container_opcodes.load_dict,
    b"}": container_opcodes.load_empty_dict,
    b"l": container_opcodes.load_list,
    b"]": container_opcodes.load_empty_list,
    b"\x8f": container_opcodes.load_empty_list,
    b"\x91": container_opcodes.load_frozenset,
    b"s": container_opcodes.load_setitem,
    b"u": container_opcodes.load_setitems,
    b"t": container_opcodes.load_tuple,
    b")": scalar_opcodes.constant_opcode(()),
    b"\x85": container_opcodes.tuple_of(1),
    b"\x86": container_opcodes.tuple_of(2),
    b"\x87": container_opcodes.tuple_of(3),
    b"g": container_opcodes.load_get,
    b"h": container_opcodes.binary_get(scalar_opcodes.U1),
    b"j": container_opcodes.binary_get(scalar_opcodes.U4),
    b"p": container_opcodes.load_put,
    b"q": container_opcodes.binary_put(scalar_opcodes.U1),
    b"r": container_opcodes.binary_put(scalar_opcodes.U4),
    b"\x94": container_opcodes.load_memoize,
    b"\x82": scalar_opcodes.extension_opcode(scalar_opcodes.U1),
    b"\x83": scalar_opcodes.extension_opcode(scalar_opcodes.U2),
    b"\x84": scalar_opcodes.extension_opcode(scalar_opcodes.U4),
    b"\x80": container_opcodes.load_proto,
    b"\x95": container_opcodes.load_frame,
}

OPERATIONS: list[Operation] = [
    _BY_CODE.get(bytes([byte]), container_opcodes.unknown_opcode) for byte in range(256)
]
