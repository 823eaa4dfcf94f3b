"""The channel between supervisor and model process: requests, frames and their schema.

Supervisor to model process, on its standard input: requests, one JSON object per line. First
`SandboxRequest`, then `LoadRequest`, then `PredictRequest`; further ones of these as long as
each announces `more`. Model process to supervisor, on a pipe of its own: frames, each a JSON
header on one line and as many bytes of payload as it announces. The kinds of frames and the
classes of their content are in `FrameKind`.

JSON and Arrow only: neither side ever unpickles what the other one wrote. Whatever deviates
from the schema raises `MalformedFrame`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, TypeVar

from numerai_predict.runner.acceleration_report import AccelerationReport
from numerai_predict.runner.frame_schema import (
    MalformedFrame,
    read_header,
    read_integer,
    read_list,
    read_mapping,
    read_seconds,
    read_string,
    require_keys,
)
from numerai_predict.runner.hosted_forms import ReturnedForm, SignatureForm

MAX_HEADER_BYTES = 256 * 1024
MAX_PAYLOAD_BYTES = 256 * 1024**2
_MAX_COLUMNS = 100

# In the scratch directory of the model process: the stack at a fatal signal.
FAULTS_FILE = "faults.txt"

# Exit status of the model process if the pipe of frames is closed.
LOST_PIPE = 97


class Stage(str, Enum):
    """What the model process is doing; a failure names its stage."""

    START = "start"
    LOAD = "load"
    READ = "read"
    READ_BENCHMARKS = "read benchmarks"
    PREDICT = "predict"
    ENCODE = "encode"


class FrameKind(str, Enum):
    """The frames of a model process, in the order of a session."""

    SANDBOXED = "sandboxed"  # AppliedLayers, before the model is unpickled
    LOADED = "loaded"  # LoadedModel
    ATTEMPTED = "attempted"  # AttemptedHost: at any time after the start of loading
    PREDICTED = "predicted"  # Predicted, with an Arrow stream as payload
    FAILED = "failed"  # see `child.exception_report` and `supervisor.failure_report`


# The largest payload of each kind of frame of a model process.
MODEL_PAYLOADS = {kind.value: 0 for kind in FrameKind} | {
    FrameKind.PREDICTED.value: MAX_PAYLOAD_BYTES
}


@dataclass(frozen=True)
class SandboxRequest:
    """Apply the sandbox that `spec` describes, or only its limits unless `isolate`.

    `spec` holds the fields of `sandbox.apply.SandboxSpec`.
    """

    isolate: bool
    spec: dict[str, Any]


@dataclass(frozen=True)
class LoadRequest:
    """Unpickle the file `model` and read the live data `dataset` within the memory limit.

    `acceleration`: tree models may be predicted by the engine.
    """

    model: str
    dataset: str
    memory_bytes: int | None
    acceleration: bool = True


@dataclass(frozen=True)
class PredictRequest:
    """Call the model; `benchmarks` is a path if it takes two arguments.

    `dataset` is the path of other live data than those of the load request. The process waits
    for another request if there is `more`.
    """

    benchmarks: str | None
    dataset: str | None = None
    more: bool = False


Request = SandboxRequest | LoadRequest | PredictRequest
_RequestType = TypeVar("_RequestType", SandboxRequest, LoadRequest, PredictRequest)


def encode_request(request: Request) -> bytes:
    """The request as one line."""
    return json.dumps(asdict(request)).encode() + b"\n"


def parse_request(line: str, kind: type[_RequestType]) -> _RequestType:
    """The request of a line; the supervisor is trusted, so a wrong line is a defect."""
    return kind(**json.loads(line))


@dataclass(frozen=True)
class Frame:
    """One message of the model process: kind, content, and an Arrow stream or nothing."""

    kind: str
    content: dict[str, Any]
    payload: bytes = b""


@dataclass(frozen=True)
class AppliedLayers:
    """The layers that the model process has applied, and the reasons for those it could not.

    `unavailable` are those that no run requires.
    """

    engaged: dict[str, str]
    missing: dict[str, str]
    unavailable: dict[str, str]

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> AppliedLayers:
        """The content of a frame.

        Raises:
            MalformedFrame: it breaks the schema.
        """
        names = ("engaged", "missing", "unavailable")
        require_keys(content, frozenset(names), "layers")
        return cls(*(read_mapping(content[name], "layers") for name in names))


@dataclass(frozen=True)
class AttemptedHost:
    """A network host that the model tried to reach."""

    host: str

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> AttemptedHost:
        """The content of a frame.

        Raises:
            MalformedFrame: it breaks the schema.
        """
        return cls(read_string(content.get("host"), "a host"))


@dataclass(frozen=True)
class LoadedModel:
    """The model callable: its number of positional arguments (1 or 2) and its display name.

    `seconds` is the time to unpickle it and to read the live data.
    """

    arity: int
    name: str
    seconds: float
    form: SignatureForm = field(default_factory=SignatureForm)

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> LoadedModel:
        """The content of a frame.

        Raises:
            MalformedFrame: it breaks the schema.
        """
        arity = content.get("arity")
        if type(arity) is not int or arity not in (1, 2):
            raise MalformedFrame("a model of neither one nor two arguments")
        name = read_string(content.get("name"), "a name")
        form = SignatureForm.parse(content.get("form"))
        return cls(arity, name, read_seconds(content.get("seconds"), "a step"), form)


@dataclass(frozen=True)
class Predicted:
    """What the model returned: type, number of rows and names of columns of the object.

    The payload is an Arrow stream, see `child.prediction_encoder`. `seconds` is the time of
    the call.
    """

    type: str
    rows: int
    columns: list[str]
    seconds: float
    form: ReturnedForm = field(default_factory=ReturnedForm)
    acceleration: AccelerationReport = field(default_factory=AccelerationReport)

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Predicted:
        """The content of a frame.

        Raises:
            MalformedFrame: it breaks the schema.
        """
        return cls(
            read_string(content.get("type"), "a type"),
            read_integer(content.get("rows"), "rows"),
            read_list(content.get("columns"), "columns", _MAX_COLUMNS, read_string),
            read_seconds(content.get("seconds"), "a step"),
            ReturnedForm.parse(content.get("form")),
            AccelerationReport.parse(content.get("acceleration")),
        )


def encode(frame: Frame) -> bytes:
    """The frame as it is sent."""
    header = {"kind": frame.kind, "content": frame.content, "bytes": len(frame.payload)}
    return json.dumps(header).encode() + b"\n" + frame.payload


def write_frame(descriptor: int, frame: Frame) -> None:
    """Write the whole frame to a blocking descriptor.

    Raises:
        OSError: the reading end is closed.
    """
    data = memoryview(encode(frame))
    while data:
        data = data[os.write(descriptor, data) :]


class FrameReader:
    """Assembles frames from chunks of bytes as they arrive.

    `payloads` are the kinds of frames that are due and their largest payloads; by default any
    kind, with `MAX_PAYLOAD_BYTES`.
    """

    def __init__(self, payloads: Mapping[str, int] | None = None) -> None:
        self._payloads = payloads
        self._buffer = bytearray()
        self._header: dict[str, Any] | None = None

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take a chunk and return the frames that it completes.

        Raises:
            MalformedFrame: the bytes are not a frame, or one that is too large.
        """
        self._buffer += chunk
        return list(iter(self._next, None))

    def _next(self) -> Frame | None:
        if self._header is None:
            end = self._buffer.find(b"\n", 0, MAX_HEADER_BYTES + 1)
            if end < 0:
                if len(self._buffer) > MAX_HEADER_BYTES:
                    raise MalformedFrame(f"a header of more than {MAX_HEADER_BYTES} bytes")
                return None
            self._header = self._check_payload(self._read_header(end))
            del self._buffer[: end + 1]
        size = self._header["bytes"]
        if len(self._buffer) < size:
            return None
        frame = Frame(self._header["kind"], self._header["content"], bytes(self._buffer[:size]))
        del self._buffer[:size]
        self._header = None
        return frame

    def _read_header(self, end: int) -> dict[str, Any]:
        return read_header(bytes(self._buffer[:end]), MAX_PAYLOAD_BYTES)

    def _check_payload(self, header: dict[str, Any]) -> dict[str, Any]:
        if self._payloads is not None:
            largest = self._payloads.get(header["kind"])
            if largest is None:
                raise MalformedFrame("a frame of an unknown kind")
            if header["bytes"] > largest:
                raise MalformedFrame("a payload where none belongs")
        return header
