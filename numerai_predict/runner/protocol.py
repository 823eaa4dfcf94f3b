"""What parent and child say to each other.

Parent to child, on the child's standard input: one JSON object a line, first
`ConfineRequest`, then `LoadRequest`, then `PredictRequest`, and further ones of these as long
as each says that `more` will come. Child to parent, on a pipe of its own: frames, each a JSON
header on one line and as many bytes as it announces.
JSON and Arrow only: no side ever unpickles what the other one wrote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

LONGEST_HEADER_BYTES = 256 * 1024
LONGEST_PAYLOAD_BYTES = 256 * 1024**2

# In the child's scratch folder: where it stood when a signal killed it.
FAULTS_FILE = "faults.txt"

# The child's exit status where the model closed the pipe of frames.
LOST_PIPE = 97

CONFINED = "confined"
TRIED = "tried"
LOADED = "loaded"
FAILED = "failed"
PREDICTED = "predicted"


@dataclass(frozen=True)
class ConfineRequest:
    """Put on the layers that `wanted` describes, or its limits alone where not `confine`.

    `wanted` holds the fields of `sandbox.confine.Confinement`.
    """

    confine: bool
    wanted: dict[str, Any]


@dataclass(frozen=True)
class LoadRequest:
    """Unpickle `model`, read `dataset` (both paths) within the memory limit."""

    model: str
    dataset: str
    memory_bytes: int | None


@dataclass(frozen=True)
class PredictRequest:
    """Call the model; `benchmarks` is a path where it takes two arguments.

    `dataset` is the path of other live data than the load request's. The process waits for
    another request where there is `more`.
    """

    benchmarks: str | None
    dataset: str | None = None
    more: bool = False


Request = ConfineRequest | LoadRequest | PredictRequest


@dataclass(frozen=True)
class Frame:
    """One message of the child: its kind, its facts, and an Arrow stream or nothing."""

    kind: str
    facts: dict[str, Any]
    payload: bytes = b""


class MalformedFrame(Exception):
    """The bytes are not a frame, or one too large to take."""


def encode(frame: Frame) -> bytes:
    """The frame as it goes over the pipe."""
    header = {"kind": frame.kind, "facts": frame.facts, "bytes": len(frame.payload)}
    return json.dumps(header).encode() + b"\n" + frame.payload


class FrameReader:
    """Frames out of chunks of bytes as they come in."""

    def __init__(self) -> None:
        self._chunks = bytearray()
        self._header: dict[str, Any] | None = None

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take a chunk and return the frames that it completes.

        Raises:
            MalformedFrame: what came in is not a frame, or too large.
        """
        self._chunks += chunk
        return list(iter(self._next, None))

    def _next(self) -> Frame | None:
        if self._header is None:
            line, newline, rest = self._chunks.partition(b"\n")
            if len(line) > LONGEST_HEADER_BYTES:
                raise MalformedFrame(f"a header of more than {LONGEST_HEADER_BYTES} bytes")
            if not newline:
                return None
            self._header = _parse_header(bytes(line))
            self._chunks = rest
        size = self._header["bytes"]
        if len(self._chunks) < size:
            return None
        frame = Frame(self._header["kind"], self._header["facts"], bytes(self._chunks[:size]))
        del self._chunks[:size]
        self._header = None
        return frame


def _parse_header(line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        raise MalformedFrame("a header that is not JSON") from None
    if not isinstance(header, dict) or header.keys() != {"kind", "facts", "bytes"}:
        raise MalformedFrame("a header without kind, facts and bytes")
    if not isinstance(header["kind"], str) or not isinstance(header["facts"], dict):
        raise MalformedFrame("a header whose kind or facts have the wrong type")
    size = header["bytes"]
    if type(size) is not int or not 0 <= size <= LONGEST_PAYLOAD_BYTES:
        raise MalformedFrame(f"an answer of {size!r} bytes: {LONGEST_PAYLOAD_BYTES} at most")
    return header
