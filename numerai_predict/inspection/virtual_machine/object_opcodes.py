"""Handlers of opcodes that import, call and build: reported to the listener, never executed.

Handlers have the names of their counterparts in CPython's `pickle._Unpickler`.
"""

from __future__ import annotations

import _compat_pickle
from typing import Any

from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.limits import InspectionLimitExceeded
from numerai_predict.inspection.placeholders import UNKNOWN, Blob, CallResult, Global
from numerai_predict.inspection.virtual_machine.pickle_vm import MAX_STATES, OBJECT_BYTES, PickleVM

_FIRST_WITHOUT_PYTHON_2_NAMES = 3
_MAX_NAME_BYTES = 1_000
# Memory of one byte of a name: a character takes up to four.
_NAME_BYTES = 4


def load_global(vm: PickleVM, position: int) -> int:
    """Import a name from a module; both follow the opcode, one per line."""
    module, position = vm.window.line(position)
    # The window may slide while it reads the second line: the first is a copy by then.
    name, position = vm.window.line(position)
    if max(len(module), len(name)) > _MAX_NAME_BYTES:
        raise InspectionLimitExceeded("the memory limit was exceeded by a name of an import")
    vm.charge(_NAME_BYTES * (len(module) + len(name)))
    return vm.push(_report_global(vm, module.decode(), name.decode()), position, OBJECT_BYTES)


def load_stack_global(vm: PickleVM, position: int) -> int:
    """Import a name from a module; both are on the stack."""
    name, module = vm.stack.pop(), vm.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        return vm.push(UNKNOWN, position)
    return vm.push(_report_global(vm, module, name), position, OBJECT_BYTES)


def _report_global(vm: PickleVM, module: str, name: str) -> Global:
    if vm.protocol < _FIRST_WITHOUT_PYTHON_2_NAMES:
        module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    found = Global(module, name)
    vm.listener.on_global(found)
    return found


def load_reduce(vm: PickleVM, position: int) -> int:
    """Call a callable with a tuple of arguments, both on the stack."""
    arguments, callee = vm.stack.pop(), vm.stack.pop()
    return _call(vm, callee, arguments, position)


def load_newobj(vm: PickleVM, position: int) -> int:
    """Create an instance of a class."""
    return load_reduce(vm, position)


def load_newobj_ex(vm: PickleVM, position: int) -> int:
    """Create an instance of a class with keyword arguments, which are discarded."""
    vm.stack.pop()
    return load_reduce(vm, position)


def load_obj(vm: PickleVM, position: int) -> int:
    """Call the first value since the mark with the others as arguments."""
    callee, *arguments = vm.pop_mark() or [None]
    return _call(vm, callee, tuple(arguments), position)


def load_inst(vm: PickleVM, position: int) -> int:
    """Call a module's name, both on lines of their own, with the values since the mark."""
    position = load_global(vm, position)
    callee = vm.stack.pop()
    return _call(vm, callee, tuple(vm.pop_mark()), position)


def _call(vm: PickleVM, callee: Any, arguments: Any, position: int) -> int:
    call = CallResult(callee, arguments)
    value = vm.listener.on_call(call)
    if value is call and vm.is_full:
        return vm.push(UNKNOWN, position)
    if value is not call:
        vm.limit.check()
        vm.charge(_kept_bytes(value))
    return vm.push(value, position, OBJECT_BYTES)


def _kept_bytes(value: Any) -> int:
    if isinstance(value, Code):
        return value.kept_bytes
    return len(value.head) if isinstance(value, Blob) else 0


def load_build(vm: PickleVM, position: int) -> int:
    """Set the state of the object below the top of the stack."""
    state = vm.stack.pop()
    target = vm.stack[-1]
    if isinstance(target, CallResult) and len(target.states) < MAX_STATES:
        target.states += (state,)
    return position


def load_binpersid(vm: PickleVM, position: int) -> int:
    """Replace a persistent id by a placeholder: the object is outside the pickle."""
    vm.stack[-1] = UNKNOWN
    return position
