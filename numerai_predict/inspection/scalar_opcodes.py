"""Opcodes that push a number, a text or bytes: payloads are passed, not copied."""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable
from typing import Any

from numerai_predict.inspection.pickle_vm import (
    MOST_STACK,
    OBJECT_BYTES,
    Operation,
    OutOfBounds,
    PickleVM,
)
from numerai_predict.inspection.placeholders import UNKNOWN

U1, U2, U4, U8 = (struct.Struct(f"<{letter}") for letter in "BHIQ")
I4 = struct.Struct("<i")

_LONGEST_TEXT_BYTES = 1_000
_LONGEST_NUMBER_BYTES = 16
_LONGEST_DECIMAL_BYTES = 4_000
_TEXT_BYTES = 60

# Rows of one kind of number are passed at once: a list of floats is millions of opcodes.
_ROW_AT_LEAST = 12
_ROW_AT_MOST = 20_000


def constant(value: Any) -> Operation:
    """An opcode that pushes one and the same value."""

    def push_constant(machine: PickleVM, at: int) -> int:
        machine.stack.append(value)
        return at

    return push_constant


def number(opcode: bytes, form: struct.Struct, *, is_kept: bool = True) -> Operation:
    """The opcode of a number in this form; not kept where no value of it is wanted."""
    step = form.size + 1
    row = re.compile(
        b"(?:%b%b){%d,%d}" % (opcode, b"." * form.size, _ROW_AT_LEAST, _ROW_AT_MOST), re.DOTALL
    )
    byte = opcode[0]

    def push_number(machine: PickleVM, at: int) -> int:
        data, size = machine.window.data, machine.window.size
        next_at = at + form.size
        far = at - 1 + step * _ROW_AT_LEAST
        if far < size and data[next_at] == byte == data[far]:
            found = row.match(data, at - 1)
            if found:
                return _push_row(machine, (found.end() - at + 1) // step, found.end())
        (value,) = form.unpack_from(data, at)
        machine.stack.append(value if is_kept else UNKNOWN)
        return next_at

    return push_number


def _push_row(machine: PickleVM, count: int, at: int) -> int:
    if len(machine.stack) > MOST_STACK:
        raise OutOfBounds("the pickle holds a row of millions of numbers: its rest is not known")
    machine.stack.extend([UNKNOWN] * count)
    return at


def long(size: struct.Struct) -> Operation:
    """A whole number of any length, which comes first in this form."""

    def push_long(machine: PickleVM, at: int) -> int:
        (count,) = size.unpack_from(machine.window.data, at)
        at += size.size
        if count > _LONGEST_NUMBER_BYTES:
            _, at = machine.window.blob(at, count)
            return machine.push(UNKNOWN, at)
        at = machine.window.reach(at, count)
        raw = machine.window.data[at : at + count]
        return machine.push(int.from_bytes(raw, "little", signed=True), at + count)

    return push_long


def text(size: struct.Struct, encoding: str = "utf-8") -> Operation:
    """A text whose length comes first; one that is long is passed as a payload."""
    errors = "surrogatepass" if encoding == "utf-8" else "strict"

    def push_text(machine: PickleVM, at: int) -> int:
        (count,) = size.unpack_from(machine.window.data, at)
        at += size.size
        if count > _LONGEST_TEXT_BYTES:
            return _push_blob(machine, at, count)
        if at + count > machine.window.size:
            at = machine.window.reach(at, count)
        value = machine.window.data[at : at + count].decode(encoding, errors)
        machine.listener.text(value)
        return machine.push(value, at + count, _TEXT_BYTES + count)

    return push_text


def payload(size: struct.Struct) -> Operation:
    """Bytes whose length comes first."""

    def push_payload(machine: PickleVM, at: int) -> int:
        (count,) = size.unpack_from(machine.window.data, at)
        return _push_blob(machine, at + size.size, count)

    return push_payload


def _push_blob(machine: PickleVM, at: int, size: int) -> int:
    blob, at = machine.window.blob(at, size)
    machine.listener.blob(blob)
    return machine.push(blob, at, OBJECT_BYTES + len(blob.head))


def line(read: Callable[[bytes], Any]) -> Operation:
    """A value that fills a line, as protocol 0 writes them."""

    def push_line(machine: PickleVM, at: int) -> int:
        raw, at = machine.window.line(at)
        return machine.push(read(raw), at, _TEXT_BYTES + len(raw))

    return push_line


def read_int(raw: bytes) -> Any:
    """A whole number or a truth value in decimal.

    Raises:
        ValueError: it is neither.
    """
    if raw in (b"00", b"01"):
        return raw == b"01"
    return int(raw.rstrip(b"L") or b"?", 0) if len(raw) <= _LONGEST_DECIMAL_BYTES else UNKNOWN


def read_float(raw: bytes) -> Any:
    """A number that is checked and not kept.

    Raises:
        ValueError: it is none.
    """
    float(raw)
    return UNKNOWN


def read_quoted(raw: bytes) -> str:
    """A text in quotes.

    Raises:
        ValueError: there are none.
    """
    raw = raw.strip()
    if len(raw) < 2 or raw[0] != raw[-1] or raw[0] not in b"'\"":
        raise ValueError("a text without quotes")
    return raw[1:-1].decode("latin-1")


def read_escaped(raw: bytes) -> str:
    """A text as protocol 0 writes it; the codec is called directly: it needs no import.

    Raises:
        UnicodeDecodeError: it is none.
    """
    return codecs.raw_unicode_escape_decode(raw)[0]


def extension(size: struct.Struct) -> Operation:
    """An object by its number in a registry that is not here."""
    return lambda machine, at: machine.push(
        UNKNOWN, machine.window.reach(at, size.size) + size.size
    )
