"""Handlers of opcodes that push a number, a string or bytes; payloads are skipped, not copied."""

from __future__ import annotations

import codecs
import re
import struct
import sys
from collections.abc import Callable
from typing import Any

from numerai_predict.inspection.limits import InspectionLimitExceeded
from numerai_predict.inspection.placeholders import UNKNOWN
from numerai_predict.inspection.virtual_machine.pickle_vm import (
    MAX_STACK,
    OBJECT_BYTES,
    Operation,
    PickleVM,
)

U1, U2, U4, U8 = (struct.Struct(f"<{letter}") for letter in "BHIQ")
I4 = struct.Struct("<i")

_MAX_TEXT_BYTES = 1_000
_MAX_NUMBER_BYTES = 16
_MAX_DECIMAL_BYTES = 4_000
# A longer line is validated, not kept.
_MAX_LINE_CHARACTERS = 4_000

# Runs of one kind of number are handled at once: a list of floats is millions of opcodes.
_MIN_RUN = 12
_MAX_RUN = 20_000


def constant_opcode(value: Any) -> Operation:
    """A handler that always pushes the same value."""

    def push_constant(vm: PickleVM, position: int) -> int:
        vm.stack.append(value)
        return position

    return push_constant


def number_opcode(opcode: bytes, layout: struct.Struct, *, is_kept: bool = True) -> Operation:
    """The handler of a fixed-size number; pushes `UNKNOWN` unless `is_kept`."""
    step = layout.size + 1
    run_pattern = re.compile(
        b"(?:%b%b){%d,%d}" % (opcode, b"." * layout.size, _MIN_RUN, _MAX_RUN), re.DOTALL
    )
    byte = opcode[0]

    def push_number(vm: PickleVM, position: int) -> int:
        data, size = vm.window.data, vm.window.size
        next_position = position + layout.size
        run_end = position - 1 + step * _MIN_RUN
        if run_end < size and data[next_position] == byte == data[run_end]:
            match = run_pattern.match(data, position - 1)
            if match:
                return _push_run(vm, (match.end() - position + 1) // step, match.end())
        (value,) = layout.unpack_from(data, position)
        vm.stack.append(value if is_kept else UNKNOWN)
        return next_position

    return push_number


def _push_run(vm: PickleVM, count: int, position: int) -> int:
    if vm.stack_size > MAX_STACK:
        raise InspectionLimitExceeded("the memory limit was exceeded by numbers in a row")
    vm.stack.extend([UNKNOWN] * count)
    return position


def long_opcode(size: struct.Struct) -> Operation:
    """The handler of an integer of any length, prefixed by its size in bytes."""

    def push_long(vm: PickleVM, position: int) -> int:
        (count,) = size.unpack_from(vm.window.data, position)
        position += size.size
        if count > _MAX_NUMBER_BYTES:
            _, position = vm.window.blob(position, count)
            return vm.push(UNKNOWN, position)
        position = vm.window.reach(position, count)
        raw = vm.window.data[position : position + count]
        return vm.push(int.from_bytes(raw, "little", signed=True), position + count)

    return push_long


def text_opcode(size: struct.Struct, encoding: str = "utf-8") -> Operation:
    """The handler of a string prefixed by its size in bytes; a long one is a payload."""
    errors = "surrogatepass" if encoding == "utf-8" else "strict"

    def push_text(vm: PickleVM, position: int) -> int:
        (count,) = size.unpack_from(vm.window.data, position)
        position += size.size
        if count > _MAX_TEXT_BYTES:
            return _push_blob(vm, position, count)
        if position + count > vm.window.size:
            position = vm.window.reach(position, count)
        value = vm.window.data[position : position + count].decode(encoding, errors)
        vm.listener.on_text(value)
        return vm.push(value, position + count, sys.getsizeof(value))

    return push_text


def bytes_opcode(size: struct.Struct) -> Operation:
    """The handler of bytes prefixed by their size."""

    def push_payload(vm: PickleVM, position: int) -> int:
        (count,) = size.unpack_from(vm.window.data, position)
        return _push_blob(vm, position + size.size, count)

    return push_payload


def _push_blob(vm: PickleVM, position: int, size: int) -> int:
    vm.limit.check()
    blob, position = vm.window.blob(position, size)
    vm.listener.on_blob(blob)
    return vm.push(blob, position, OBJECT_BYTES + len(blob.head))


def line_opcode(read: Callable[[bytes], Any]) -> Operation:
    """The handler of a value that ends with a newline, as in protocol 0."""

    def push_line(vm: PickleVM, position: int) -> int:
        raw, position = vm.window.line(position)
        vm.limit.check()
        value = read(raw)
        if isinstance(value, str) and len(value) > _MAX_LINE_CHARACTERS:
            value = UNKNOWN
        vm.charge(sys.getsizeof(value))
        return vm.push(value, position)

    return push_line


def read_int(raw: bytes) -> Any:
    """Parse a decimal integer or a boolean.

    Raises:
        ValueError: the bytes are neither.
    """
    if raw in (b"00", b"01"):
        return raw == b"01"
    return int(raw.rstrip(b"L") or b"?", 0) if len(raw) <= _MAX_DECIMAL_BYTES else UNKNOWN


def read_float(raw: bytes) -> Any:
    """Validate a decimal float; its value is not kept.

    Raises:
        ValueError: the bytes are not a number.
    """
    float(raw)
    return UNKNOWN


def read_quoted(raw: bytes) -> str:
    """Parse a quoted string.

    Raises:
        ValueError: the quotes are missing.
    """
    raw = raw.strip()
    if len(raw) < 2 or raw[0] != raw[-1] or raw[0] not in b"'\"":
        raise ValueError("a string without quotes")
    return raw[1:-1].decode("latin-1")


def load_unicode(vm: PickleVM, position: int) -> int:
    """Push a string in raw-unicode-escape, as in protocol 0; `UNKNOWN` beyond a megabyte.

    Calls the codec directly: a lookup by name would import modules.

    Raises:
        UnicodeDecodeError: the bytes are not such a string.
    """
    raw, position = vm.window.skippable_line(position)
    if raw is None:
        return vm.push(UNKNOWN, position)
    text = codecs.raw_unicode_escape_decode(raw)[0]
    if len(text) <= _MAX_TEXT_BYTES:
        vm.listener.on_text(text)
    vm.limit.check()
    vm.charge(sys.getsizeof(text))
    return vm.push(text, position)


def extension_opcode(size: struct.Struct) -> Operation:
    """The handler of an object from the `copyreg` extension registry, which is not available."""
    return lambda vm, position: vm.push(UNKNOWN, vm.window.reach(position, size.size) + size.size)
