"""Classic BPF programs of seccomp filters, which the kernel runs before every system call.

See seccomp(2), linux/seccomp.h and linux/filter.h.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from numerai_predict.sandbox.syscall_numbers import Architecture
from numerai_predict.sandbox.syscalls import address, system_call

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_OFFSET, _ARCH_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16  # struct seccomp_data

_LOAD, _RETURN = 0x20, 0x06
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x35, 0x45


class Comparison(Enum):
    """How the low 32 bits of an argument are compared."""

    EQUALS = "equals"
    DIFFERS = "differs"
    LESS = "less"
    AT_LEAST = "at least"
    HAS_BITS = "has bits"
    LACKS_BITS = "lacks bits"


@dataclass(frozen=True)
class ArgumentCondition:
    """A condition on one argument of a system call, by its index."""

    argument: int
    comparison: Comparison
    value: int


@dataclass(frozen=True)
class SyscallRule:
    """System calls that fail with `error`, always or under a condition.

    `calls` are names separated by spaces. An `error` of 0 skips the call and reports success.
    """

    calls: str
    error: int
    when: ArgumentCondition | tuple[ArgumentCondition, ...] | None = None

    @property
    def conditions(self) -> tuple[ArgumentCondition, ...]:
        """The conditions that must all hold."""
        if isinstance(self.when, ArgumentCondition):
            return (self.when,)
        return self.when or ()


def program(rules: Iterable[SyscallRule], architecture: Architecture) -> bytes:
    """The filter as an array of `struct sock_filter`, 8 bytes per instruction."""
    return b"".join(
        struct.pack("=HBBI", code, if_true, if_false, value)
        for code, if_true, if_false, value in _instructions(rules, architecture)
    )


def enforce(program: bytes, architecture: Architecture) -> None:
    """Apply the filter to every thread of this process and its descendants, irrevocably.

    The process must have set no_new_privs.

    Raises:
        OSError: the kernel refuses, or has no seccomp filters.
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    number = architecture.number("seccomp")
    system_call(number or -1, _SET_MODE_FILTER, _ALL_THREADS, address(head))


_Instruction = tuple[int, int, int, int]


def _instructions(
    rules: Iterable[SyscallRule], architecture: Architecture
) -> Iterator[_Instruction]:
    yield _LOAD, 0, 0, _ARCH_OFFSET
    yield _IF_EQUAL, 1, 0, architecture.audit_arch
    yield _RETURN, 0, 0, _ERRNO | errno.ENOSYS  # calls of another architecture
    yield _LOAD, 0, 0, _NUMBER_OFFSET
    if architecture.foreign_from is not None:
        yield _IF_AT_LEAST, 0, 1, architecture.foreign_from
        yield _RETURN, 0, 0, _ERRNO | errno.ENOSYS
    for rule in rules:
        for call in rule.calls.split():
            number = architecture.number(call)
            if number is not None:
                yield from _denial(number, rule)
    yield _RETURN, 0, 0, _ALLOW


def _denial(number: int, rule: SyscallRule) -> Iterator[_Instruction]:
    conditions = rule.conditions
    if not conditions:
        yield _IF_EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _ERRNO | rule.error
        return
    yield _IF_EQUAL, 0, 2 * len(conditions) + 2, number
    for position, condition in enumerate(conditions, 1):
        yield _LOAD, 0, 0, _ARGUMENTS_OFFSET + 8 * condition.argument
        yield _comparison(condition, 2 * (len(conditions) - position) + 1)
    yield _RETURN, 0, 0, _ERRNO | rule.error
    yield _LOAD, 0, 0, _NUMBER_OFFSET


# The instruction of a comparison, and whether the condition holds if it jumps.
_COMPARISONS = {
    Comparison.EQUALS: (_IF_EQUAL, True),
    Comparison.DIFFERS: (_IF_EQUAL, False),
    Comparison.HAS_BITS: (_IF_ANY_BIT, True),
    Comparison.LACKS_BITS: (_IF_ANY_BIT, False),
    Comparison.AT_LEAST: (_IF_AT_LEAST, True),
    Comparison.LESS: (_IF_AT_LEAST, False),
}


def _comparison(when: ArgumentCondition, otherwise: int) -> _Instruction:
    """Continue with the next instruction if the condition holds, else skip `otherwise` more."""
    code, holds = _COMPARISONS[when.comparison]
    return (code, 0, otherwise, when.value) if holds else (code, otherwise, 0, when.value)
