"""The pickle virtual machine: executes opcodes on placeholders and calls nothing.

It maintains stack, marks and memo as an unpickler does. It reports what the pickle would
import, call or store in an object to a `Listener`. It does not copy payloads.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numerai_predict.inspection.limits import InspectionLimitExceeded, TimeLimit
from numerai_predict.inspection.placeholders import Blob, CallResult, Global
from numerai_predict.inspection.virtual_machine.byte_window import ByteWindow, Truncated

# Limits on the memory that a hostile file can use; real models stay far below them.
# Above _FULL_BYTES only placeholders that code objects need are kept.
MAX_STACK = 2_000_000
MAX_STATES = 16
_MAX_MARKS = 100_000
_MAX_MEMO = 6_000_000
_MAX_SPARSE_MEMO = 100_000
_FULL_BYTES = 48 * 1024 * 1024
_MAX_KEPT_BYTES = 96 * 1024 * 1024
_OPCODES_PER_CHECK = 1_000

# Approximate memory of one placeholder.
OBJECT_BYTES = 120


class InvalidOpcodes(Exception):
    """No unpickler accepts these bytes; the message says what is wrong and where."""


class StopReached(Exception):
    """The VM executed the `STOP` opcode."""


class Memo:
    """The VM's memo: values by index.

    Consecutive indexes are stored in a list (8 bytes each), all others in `sparse`.
    """

    def __init__(self) -> None:
        self._dense: list[Any] = []
        self.sparse: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._dense) + len(self.sparse)

    def append(self, value: Any) -> None:
        """Store a value under the next index."""
        if self.sparse:
            self.put(len(self), value)
        else:
            self._dense.append(value)

    def put(self, index: int, value: Any) -> None:
        """Store a value.

        Raises:
            ValueError: the index is negative.
        """
        if index == len(self._dense):
            self._dense.append(value)
        elif 0 <= index < len(self._dense):
            self._dense[index] = value
        elif index >= 0:
            self.sparse[index] = value
        else:
            raise ValueError

    def get(self, index: int) -> Any:
        """The value at an index.

        Raises:
            KeyError: the index was never stored.
        """
        if 0 <= index < len(self._dense):
            return self._dense[index]
        return self.sparse[index]


class Listener(Protocol):
    """Receives the VM's events."""

    def on_global(self, name: Global) -> None:
        """The pickle imports a name from a module."""

    def on_call(self, call: CallResult) -> Any:
        """The pickle calls something; returns the placeholder of the result."""

    def on_item(self, key: str, value: Any) -> None:
        """The pickle stores a value under a string key in a dict."""

    def on_text(self, text: str) -> None:
        """The pickle contains a short string."""

    def on_blob(self, blob: Blob) -> None:
        """The pickle contains bytes or a long string."""


class PickleVM:
    """Executes the opcodes of a window up to `STOP`.

    `operations` are the handlers by opcode byte: each takes the VM and the position
    after the opcode, and returns the position of the next opcode. The public
    attributes are the state that the handlers use.
    """

    def __init__(
        self, window: ByteWindow, operations: Operations, listener: Listener, limit: TimeLimit
    ) -> None:
        self.window = window
        self._operations = operations
        self.listener = listener
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo = Memo()
        self.kept_bytes = 0
        self.protocol = 0
        self.limit = limit
        self._marked_values = 0

    def run(self) -> Any:
        """Execute all opcodes; the placeholder of the unpickled object.

        Raises:
            InvalidOpcodes: the bytes are not a pickle.
            InspectionLimitExceeded: the pickle exceeds a limit on memory, depth or time.
        """
        window, operations, position = self.window, self._operations, 0
        try:
            while True:
                for _ in range(_OPCODES_PER_CHECK):
                    if position >= window.edge:
                        position = window.look_ahead(position)
                    position = operations[window.data[position]](self, position + 1)
                window.release(position)
                self._check_limits()
        except InspectionLimitExceeded as exceeded:
            raise InspectionLimitExceeded(
                f"{exceeded} after {window.offset(position):,} bytes"
            ) from None
        except StopReached:
            if not self.stack:
                raise InvalidOpcodes("it ends with an empty stack") from None
            return self.stack[-1]
        except (Truncated, struct.error):
            raise InvalidOpcodes(
                f"it ends at byte {window.offset(window.size)}, before the STOP opcode"
            ) from None
        except (IndexError, UnicodeDecodeError, ValueError, KeyError) as error:
            raise InvalidOpcodes(
                f"{_describe_error(error)} before byte {window.offset(position)}"
            ) from None

    @property
    def is_full(self) -> bool:
        """Whether only placeholders that code objects need are kept from now on."""
        return self.kept_bytes > _FULL_BYTES

    def _check_limits(self) -> None:
        if (
            self.stack_size > MAX_STACK
            or len(self.marks) > _MAX_MARKS
            or len(self.memo) > _MAX_MEMO
            or len(self.memo.sparse) > _MAX_SPARSE_MEMO
            or self.kept_bytes > _MAX_KEPT_BYTES
        ):
            raise InspectionLimitExceeded("the memory limit was exceeded")
        self.limit.check()

    @property
    def stack_size(self) -> int:
        """The number of values on the stack, those before the marks included."""
        return self._marked_values + len(self.stack)

    def charge(self, kept_bytes: int) -> None:
        """Count memory that is kept.

        Raises:
            InspectionLimitExceeded: it exceeds the memory limit.
        """
        self.kept_bytes += kept_bytes
        if self.kept_bytes > _MAX_KEPT_BYTES:
            raise InspectionLimitExceeded("the memory limit was exceeded")

    def push(self, value: Any, position: int, kept_bytes: int = 0) -> int:
        """Push a value that uses about `kept_bytes` of memory; returns `position` unchanged."""
        self.stack.append(value)
        self.kept_bytes += kept_bytes
        return position

    def push_mark(self) -> None:
        """Start a new stack for the values after the mark."""
        self._marked_values += len(self.stack)
        self.marks.append(self.stack)
        self.stack = []
        self.kept_bytes += OBJECT_BYTES

    def pop_mark(self) -> list[Any]:
        """Pop the last mark; the values that were pushed after it."""
        items = self.stack
        self.stack = self.marks.pop()
        self._marked_values -= len(self.stack)
        return items


Operation = Callable[[PickleVM, int], int]
Operations = Sequence[Operation]


def _describe_error(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a string that is not UTF-8"
    if isinstance(error, KeyError):
        return f"memo entry {error} is read but was never stored"
    if isinstance(error, IndexError):
        return "an opcode needs a value and the stack is empty"
    return "an invalid number"
