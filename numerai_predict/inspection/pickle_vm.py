"""The pickle's own stack machine, which makes stand-ins and calls nothing.

Follows every opcode as an unpickler does: stack, marks, memo. What a pickle would
import, call or put into an object is told to a `Listener`; no payload is copied.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numerai_predict.inspection.byte_window import ByteWindow, Truncated
from numerai_predict.inspection.placeholders import Blob, CallResult, Global

# Bounds on what a hostile file can take of memory; honest ones stay far below.
# Beyond the first bound on kept bytes, objects without code are no longer kept.
MOST_STACK = 2_000_000
MOST_STATES = 16
_MOST_MARKS = 100_000
_MOST_MEMO = 6_000_000
_MOST_FAR_MEMO = 100_000
_FULL_BYTES = 48 * 1024 * 1024
_MOST_KEPT_BYTES = 96 * 1024 * 1024
_OPCODES_A_LOOK = 1_000

# What a stand-in takes of memory, roughly.
OBJECT_BYTES = 120


class InvalidOpcodes(Exception):
    """No unpickler would read the bytes; the text says what is wrong and where."""


class Stopped(Exception):
    """The opcode of the end."""


class OutOfBounds(Exception):
    """The pickle is longer or deeper than the inspection goes; the text says how."""


class Memo:
    """Values by number: those that come one after the other take eight bytes each."""

    def __init__(self) -> None:
        self._near: list[Any] = []
        self.far: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._near) + len(self.far)

    def append(self, value: Any) -> None:
        """Remember a value under the next number."""
        if self.far:
            self.put(len(self), value)
        else:
            self._near.append(value)

    def put(self, index: int, value: Any) -> None:
        """Remember a value.

        Raises:
            ValueError: the number is negative.
        """
        if index == len(self._near):
            self._near.append(value)
        elif 0 <= index < len(self._near):
            self._near[index] = value
        elif index >= 0:
            self.far[index] = value
        else:
            raise ValueError

    def get(self, index: int) -> Any:
        """The value under a number.

        Raises:
            KeyError: there is none.
        """
        if 0 <= index < len(self._near):
            return self._near[index]
        return self.far[index]


class Listener(Protocol):
    """What the machine tells while it goes on."""

    def named(self, name: Global) -> None:
        """The pickle takes a name from a module."""

    def called(self, made: CallResult) -> Any:
        """The pickle calls something; the stand-in for what it returns."""

    def put(self, key: str, value: Any) -> None:
        """The pickle puts a value under a name, into a dict."""

    def text(self, text: str) -> None:
        """The pickle holds a short text."""

    def blob(self, blob: Blob) -> None:
        """The pickle holds bytes or a long text."""


class PickleVM:
    """Runs over a window until `STOP`; `run` returns the stand-in for the whole.

    `operations` are the opcodes by number: each takes the machine and the position
    after the opcode, and returns the position of the next one. `seconds` bounds the
    walk. The attributes are for the operations.
    """

    def __init__(
        self, window: ByteWindow, operations: Operations, listener: Listener, seconds: float
    ) -> None:
        self.window = window
        self._operations = operations
        self.listener = listener
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo = Memo()
        self.kept_bytes = 0
        self.protocol = 0
        self._until = time.monotonic() + seconds
        self._seconds = seconds

    def run(self) -> Any:
        """Follow the opcodes up to the end.

        Raises:
            Broken: the bytes are no pickle.
            OutOfBounds: it goes on beyond the bounds.
        """
        window, operations, at = self.window, self._operations, 0
        try:
            while True:
                for _ in range(_OPCODES_A_LOOK):
                    if at >= window.edge:
                        at = window.look_ahead(at)
                    at = operations[window.data[at]](self, at + 1)
                window.forget(at)
                self._look_at_bounds(window.offset(at))
        except Stopped:
            if not self.stack:
                raise InvalidOpcodes("it ends with nothing on the stack") from None
            return self.stack[-1]
        except (Truncated, struct.error):
            raise InvalidOpcodes(
                f"it ends at byte {window.offset(window.size)}, before its end"
            ) from None
        except (IndexError, UnicodeDecodeError, ValueError, KeyError) as error:
            raise InvalidOpcodes(f"{_words(error)} before byte {window.offset(at)}") from None

    @property
    def is_full(self) -> bool:
        """Whether so much is kept that only what code needs is kept from now on."""
        return self.kept_bytes > _FULL_BYTES

    def _look_at_bounds(self, offset: int) -> None:
        if (
            len(self.stack) > MOST_STACK
            or len(self.marks) > _MOST_MARKS
            or len(self.memo) > _MOST_MEMO
            or len(self.memo.far) > _MOST_FAR_MEMO
            or self.kept_bytes > _MOST_KEPT_BYTES
        ):
            raise OutOfBounds(f"only the first {offset:,} bytes were looked at: the rest is large")
        if time.monotonic() > self._until:
            raise OutOfBounds(
                f"only the first {offset:,} bytes were looked at, in {self._seconds:g} s"
            )

    def push(self, value: Any, at: int, kept_bytes: int = 0) -> int:
        """Push a value that takes so much memory, roughly; `at` as it came."""
        self.stack.append(value)
        self.kept_bytes += kept_bytes
        return at

    def pop_mark(self) -> list[Any]:
        """What was pushed since the last mark, which is taken away."""
        items = self.stack
        self.stack = self.marks.pop()
        return items


Operation = Callable[[PickleVM, int], int]
Operations = Sequence[Operation]


def _words(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a text that is not UTF-8"
    if isinstance(error, KeyError):
        return f"memo entry {error} is used and was never made"
    if isinstance(error, IndexError):
        return "the stack is empty where a value was due"
    return "a number that is none"
