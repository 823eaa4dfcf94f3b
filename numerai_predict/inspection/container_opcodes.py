"""Opcodes of marks, tuples, lists, dicts and the memo."""

from __future__ import annotations

import struct
from typing import Any

from numerai_predict.inspection.pickle_vm import (
    MOST_STATES,
    OBJECT_BYTES,
    InvalidOpcodes,
    Operation,
    PickleVM,
    Stopped,
)
from numerai_predict.inspection.placeholders import LIST, UNKNOWN, CallResult, Mapping

_ITEM_BYTES = 8
_DICT_BYTES = 60
_HIGHEST_PROTOCOL = 5


def proto(machine: PickleVM, at: int) -> int:
    """The protocol."""
    machine.protocol = machine.window.data[machine.window.reach(at, 1)]
    if machine.protocol > _HIGHEST_PROTOCOL:
        raise InvalidOpcodes(
            f"it says that it has protocol {machine.protocol}, which no Python has"
        )
    return at + 1


def frame(machine: PickleVM, at: int) -> int:
    """The length of a frame: frames need no attention here."""
    return machine.window.reach(at, 8) + 8


def stop(_machine: PickleVM, _at: int) -> int:
    """The end."""
    raise Stopped


def mark(machine: PickleVM, at: int) -> int:
    """Begin a new stack, on which items are gathered."""
    machine.marks.append(machine.stack)
    machine.stack = []
    machine.kept_bytes += OBJECT_BYTES
    return at


def pop(machine: PickleVM, at: int) -> int:
    """Drop a value, or a mark."""
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()
    return at


def pop_mark(machine: PickleVM, at: int) -> int:
    """Drop a mark and all since."""
    machine.pop_mark()
    return at


def dup(machine: PickleVM, at: int) -> int:
    """Push the last value again."""
    return machine.push(machine.stack[-1], at)


def tuple_of(count: int) -> Operation:
    """A tuple of the last values."""

    def make(machine: PickleVM, at: int) -> int:
        stack = machine.stack
        if len(stack) < count:
            raise IndexError
        value = tuple(stack[len(stack) - count :])
        del stack[len(stack) - count :]
        return machine.push(value, at, OBJECT_BYTES)

    return make


def make_tuple(machine: PickleVM, at: int) -> int:
    """A tuple of all since the mark."""
    items = machine.pop_mark()
    return machine.push(tuple(items), at, OBJECT_BYTES + _ITEM_BYTES * len(items))


def make_list(machine: PickleVM, at: int) -> int:
    """A list of all since the mark."""
    machine.pop_mark()
    return machine.push(LIST, at)


def empty_list(machine: PickleVM, at: int) -> int:
    """A list, or a set."""
    return machine.push(LIST, at)


def empty_dict(machine: PickleVM, at: int) -> int:
    """A dict."""
    if machine.is_full:
        return machine.push(UNKNOWN, at)
    return machine.push(Mapping(), at, _DICT_BYTES)


def make_dict(machine: PickleVM, at: int) -> int:
    """A dict of all since the mark, key and value in turn."""
    items = machine.pop_mark()
    machine.push(Mapping(), at, _DICT_BYTES)
    return _put(machine, items, at)


def append(machine: PickleVM, at: int) -> int:
    """Put the last value into the list before it."""
    machine.stack.pop()
    return _require_target(machine, at)


def extend_from_mark(machine: PickleVM, at: int) -> int:
    """Put all since the mark into the list before it."""
    machine.pop_mark()
    return _require_target(machine, at)


def _require_target(machine: PickleVM, at: int) -> int:
    machine.stack[-1]  # as an unpickler would notice that nothing is there
    return at


def setitem(machine: PickleVM, at: int) -> int:
    """Put the last two values, key and value, into the dict before them."""
    value, key = machine.stack.pop(), machine.stack.pop()
    return _put(machine, [key, value], at)


def setitems(machine: PickleVM, at: int) -> int:
    """Put all since the mark, key and value in turn, into the dict before it."""
    return _put(machine, machine.pop_mark(), at)


def _put(machine: PickleVM, items: list[Any], at: int) -> int:
    if len(items) % 2:
        raise InvalidOpcodes(
            f"a dict has a key without a value before byte {machine.window.offset(at)}"
        )
    target = machine.stack[-1]
    if isinstance(target, CallResult) and len(target.states) < MOST_STATES:
        target.states += (inner := Mapping(),)
        target = inner
    put = machine.listener.put
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) is str:
            put(key, value)
            if type(value) is CallResult and isinstance(target, Mapping) and not machine.is_full:
                target.put(key, value)
                machine.kept_bytes += OBJECT_BYTES
    return at


def memoize(machine: PickleVM, at: int) -> int:
    """Remember the last value under the next number."""
    machine.memo.append(machine.stack[-1])
    return at


def put_line(machine: PickleVM, at: int) -> int:
    """Remember the last value under a number in decimal."""
    index, at = machine.window.line(at)
    machine.memo.put(int(index), machine.stack[-1])
    return at


def get_line(machine: PickleVM, at: int) -> int:
    """Push the value remembered under a number in decimal."""
    index, at = machine.window.line(at)
    return machine.push(machine.memo.get(int(index)), at)


def put_at(size: struct.Struct) -> Operation:
    """Remember the last value under a number in this form."""

    def put(machine: PickleVM, at: int) -> int:
        (index,) = size.unpack_from(machine.window.data, at)
        machine.memo.put(index, machine.stack[-1])
        return at + size.size

    return put


def get_at(size: struct.Struct) -> Operation:
    """Push the value remembered under a number in this form."""

    def get(machine: PickleVM, at: int) -> int:
        (index,) = size.unpack_from(machine.window.data, at)
        machine.stack.append(machine.memo.get(index))
        return at + size.size

    return get


def no_opcode(machine: PickleVM, at: int) -> int:
    """A byte that is no opcode.

    Raises:
        Broken: always.
    """
    byte = machine.window.data[at - 1]
    raise InvalidOpcodes(f"byte {byte:#04x} at {machine.window.offset(at - 1)} is no opcode")


def make_frozenset(machine: PickleVM, at: int) -> int:
    """A set of all since the mark."""
    machine.pop_mark()
    return machine.push(UNKNOWN, at)
