"""Opcodes that name, call and build: they are told to the listener, never done."""

from __future__ import annotations

import _compat_pickle
from typing import Any

from numerai_predict.inspection.pickle_vm import MOST_STATES, OBJECT_BYTES, PickleVM
from numerai_predict.inspection.placeholders import UNKNOWN, CallResult, Global

_FIRST_WITHOUT_PYTHON_2_NAMES = 3


def by_name(machine: PickleVM, at: int) -> int:
    """A name in a module, on two lines."""
    module, at = machine.window.line(at)
    # A window that moves takes the first line along: it is read before the second.
    name, at = machine.window.line(at)
    return machine.push(_named(machine, module.decode(), name.decode()), at, OBJECT_BYTES)


def stack_global(machine: PickleVM, at: int) -> int:
    """A name in a module, both on the stack."""
    name, module = machine.stack.pop(), machine.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        return machine.push(UNKNOWN, at)
    return machine.push(_named(machine, module, name), at, OBJECT_BYTES)


def _named(machine: PickleVM, module: str, name: str) -> Global:
    if machine.protocol < _FIRST_WITHOUT_PYTHON_2_NAMES:
        module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    found = Global(module, name)
    machine.listener.named(found)
    return found


def reduce(machine: PickleVM, at: int) -> int:
    """Call a callable with a tuple of arguments."""
    arguments, maker = machine.stack.pop(), machine.stack.pop()
    return _call(machine, maker, arguments, at)


def newobj(machine: PickleVM, at: int) -> int:
    """Make an object of a class."""
    return reduce(machine, at)


def newobj_ex(machine: PickleVM, at: int) -> int:
    """Make an object of a class, with arguments by keyword."""
    machine.stack.pop()
    return reduce(machine, at)


def obj(machine: PickleVM, at: int) -> int:
    """Call what lies after the mark with the rest."""
    maker, *arguments = machine.pop_mark() or [None]
    return _call(machine, maker, tuple(arguments), at)


def inst(machine: PickleVM, at: int) -> int:
    """Call a name in a module, on two lines, with all since the mark."""
    at = by_name(machine, at)
    maker = machine.stack.pop()
    return _call(machine, maker, tuple(machine.pop_mark()), at)


def _call(machine: PickleVM, maker: Any, arguments: Any, at: int) -> int:
    made = CallResult(maker, arguments)
    value = machine.listener.called(made)
    if value is made and machine.is_full:
        return machine.push(UNKNOWN, at)
    return machine.push(value, at, OBJECT_BYTES)


def build(machine: PickleVM, at: int) -> int:
    """Give an object its state."""
    state = machine.stack.pop()
    target = machine.stack[-1]
    if isinstance(target, CallResult) and len(target.states) < MOST_STATES:
        target.states += (state,)
    return at


def binary_persistent(machine: PickleVM, at: int) -> int:
    """An object that lies outside the pickle."""
    machine.stack[-1] = UNKNOWN
    return at
