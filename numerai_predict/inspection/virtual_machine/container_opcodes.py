"""Handlers of the opcodes of marks, tuples, lists, dicts and the memo.

Handlers have the names of their counterparts in CPython's `pickle._Unpickler`.
"""

from __future__ import annotations

import struct
from typing import Any

from numerai_predict.inspection.placeholders import LIST, UNKNOWN, CallResult, Mapping
from numerai_predict.inspection.virtual_machine.pickle_vm import (
    MAX_STATES,
    OBJECT_BYTES,
    InvalidOpcodes,
    Operation,
    PickleVM,
    StopReached,
)

_ITEM_BYTES = 8
_DICT_BYTES = 60
_HIGHEST_PROTOCOL = 5
_ITEMS_PER_CHECK = 10_000
_INT_BYTES = 40
# No memo has an index of more digits.
_MAX_INDEX_DIGITS = 20


def load_proto(vm: PickleVM, position: int) -> int:
    """Read the protocol version.

    Raises:
        InvalidOpcodes: no Python has this protocol.
    """
    vm.protocol = vm.window.data[vm.window.reach(position, 1)]
    if vm.protocol > _HIGHEST_PROTOCOL:
        raise InvalidOpcodes(f"it declares protocol {vm.protocol}, which no Python supports")
    return position + 1


def load_frame(vm: PickleVM, position: int) -> int:
    """Skip the length of a frame: frames do not matter here."""
    return vm.window.reach(position, 8) + 8


def load_stop(_vm: PickleVM, _position: int) -> int:
    """Stop the VM.

    Raises:
        StopReached: always.
    """
    raise StopReached


def load_mark(vm: PickleVM, position: int) -> int:
    """Push a mark: start a new stack for the items of a container."""
    vm.push_mark()
    return position


def load_pop(vm: PickleVM, position: int) -> int:
    """Discard the top value, or the mark if no value follows it."""
    if vm.stack:
        vm.stack.pop()
    else:
        vm.pop_mark()
    return position


def load_pop_mark(vm: PickleVM, position: int) -> int:
    """Discard the values since the mark, and the mark."""
    vm.pop_mark()
    return position


def load_dup(vm: PickleVM, position: int) -> int:
    """Duplicate the top value."""
    return vm.push(vm.stack[-1], position)


def tuple_of(count: int) -> Operation:
    """The handler that replaces the top `count` values by a tuple of them."""

    def make(vm: PickleVM, position: int) -> int:
        stack = vm.stack
        if len(stack) < count:
            raise IndexError
        value = tuple(stack[len(stack) - count :])
        del stack[len(stack) - count :]
        return vm.push(value, position, OBJECT_BYTES)

    return make


def load_tuple(vm: PickleVM, position: int) -> int:
    """Replace the values since the mark by a tuple."""
    items = vm.pop_mark()
    return vm.push(tuple(items), position, OBJECT_BYTES + _ITEM_BYTES * len(items))


def load_list(vm: PickleVM, position: int) -> int:
    """Replace the values since the mark by a list."""
    vm.pop_mark()
    return vm.push(LIST, position)


def load_empty_list(vm: PickleVM, position: int) -> int:
    """Push an empty list or set."""
    return vm.push(LIST, position)


def load_empty_dict(vm: PickleVM, position: int) -> int:
    """Push an empty dict."""
    if vm.is_full:
        return vm.push(UNKNOWN, position)
    return vm.push(Mapping(), position, _DICT_BYTES)


def load_dict(vm: PickleVM, position: int) -> int:
    """Replace the values since the mark, alternating keys and values, by a dict."""
    items = vm.pop_mark()
    vm.push(Mapping(), position, _DICT_BYTES)
    return _put_items(vm, items, position)


def load_append(vm: PickleVM, position: int) -> int:
    """Append the top value to the list below it."""
    vm.stack.pop()
    return _check_target(vm, position)


def load_appends(vm: PickleVM, position: int) -> int:
    """Append the values since the mark to the list or set below it."""
    vm.pop_mark()
    return _check_target(vm, position)


def _check_target(vm: PickleVM, position: int) -> int:
    vm.stack[-1]  # an unpickler raises IndexError here if the stack is empty
    return position


def load_setitem(vm: PickleVM, position: int) -> int:
    """Store the top two values, key and value, in the dict below them."""
    value, key = vm.stack.pop(), vm.stack.pop()
    return _put_items(vm, [key, value], position)


def load_setitems(vm: PickleVM, position: int) -> int:
    """Store the values since the mark, alternating keys and values, in the dict below it."""
    return _put_items(vm, vm.pop_mark(), position)


def _put_items(vm: PickleVM, items: list[Any], position: int) -> int:
    if len(items) % 2:
        raise InvalidOpcodes(
            f"a dict has a key without a value before byte {vm.window.offset(position)}"
        )
    target = vm.stack[-1]
    if isinstance(target, CallResult) and len(target.states) < MAX_STATES:
        target.states += (inner := Mapping(),)
        vm.kept_bytes += _DICT_BYTES
        target = inner
    for start in range(0, len(items), _ITEMS_PER_CHECK):
        _put_some_items(vm, target, items[start : start + _ITEMS_PER_CHECK])
        vm.limit.check()
    return position


def _put_some_items(vm: PickleVM, target: Any, items: list[Any]) -> None:
    on_item = vm.listener.on_item
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) is str:
            on_item(key, value)
            if type(value) is CallResult and isinstance(target, Mapping) and not vm.is_full:
                target.put(key, value)
                vm.charge(OBJECT_BYTES)


def load_memoize(vm: PickleVM, position: int) -> int:
    """Store the top value in the memo under the next index."""
    vm.memo.append(_to_keep(vm))
    return position


def _to_keep(vm: PickleVM) -> Any:
    """The top value, to be stored in the memo; numbers are counted only there."""
    value = vm.stack[-1]
    if type(value) is int:
        vm.kept_bytes += _INT_BYTES
    return value


def _read_index(raw: bytes) -> int:
    if len(raw) > _MAX_INDEX_DIGITS:
        raise ValueError
    return int(raw)


def load_put(vm: PickleVM, position: int) -> int:
    """Store the top value in the memo under a decimal index."""
    index, position = vm.window.line(position)
    vm.memo.put(_read_index(index), _to_keep(vm))
    return position


def load_get(vm: PickleVM, position: int) -> int:
    """Push the memo's value at a decimal index."""
    index, position = vm.window.line(position)
    return vm.push(vm.memo.get(_read_index(index)), position)


def binary_put(size: struct.Struct) -> Operation:
    """The handler that stores the top value in the memo under a binary index."""

    def put(vm: PickleVM, position: int) -> int:
        (index,) = size.unpack_from(vm.window.data, position)
        vm.memo.put(index, _to_keep(vm))
        return position + size.size

    return put


def binary_get(size: struct.Struct) -> Operation:
    """The handler that pushes the memo's value at a binary index."""

    def get(vm: PickleVM, position: int) -> int:
        (index,) = size.unpack_from(vm.window.data, position)
        vm.stack.append(vm.memo.get(index))
        return position + size.size

    return get


def unknown_opcode(vm: PickleVM, position: int) -> int:
    """Reject a byte that is not an opcode.

    Raises:
        InvalidOpcodes: always.
    """
    byte = vm.window.data[position - 1]
    raise InvalidOpcodes(f"byte {byte:#04x} at {vm.window.offset(position - 1)} is not an opcode")


def load_frozenset(vm: PickleVM, position: int) -> int:
    """Replace the values since the mark by a frozenset."""
    vm.pop_mark()
    return vm.push(UNKNOWN, position)
