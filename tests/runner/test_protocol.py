"""The supervisor parses what the model process sends with care: it is not trusted."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerai_predict.runner import protocol
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import (
    Frame,
    FrameKind,
    FrameReader,
    LoadedModel,
    LoadRequest,
    Predicted,
    PredictRequest,
    SandboxRequest,
    encode,
    encode_request,
    parse_request,
)

FRAME = Frame("predicted", {"rows": 2, "text": "ü\n"}, b"pay\nload\x00")


def header(**changes):
    fields = {"kind": "predicted", "content": {}, "bytes": 0, **changes}
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode()


def test_a_frame_comes_back_as_it_was_sent():
    assert FrameReader().feed(encode(FRAME)) == [FRAME]


@pytest.mark.parametrize("split", range(len(encode(FRAME)) + 1))
def test_a_frame_may_be_split_at_any_byte(split):
    reader = FrameReader()
    whole = encode(FRAME)
    found = [reader.feed(whole[:split]), reader.feed(whole[split:])]
    assert [frame for frames in found for frame in frames] == [FRAME]


def test_a_frame_may_come_byte_by_byte():
    reader = FrameReader()
    found = [reader.feed(bytes([byte])) for byte in encode(FRAME)]
    assert found[-1] == [FRAME]
    assert not any(found[:-1])


def test_one_chunk_may_hold_several_frames():
    other = Frame("loaded", {})
    assert FrameReader().feed(encode(FRAME) + encode(other)) == [FRAME, other]


@given(
    st.text(max_size=9),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text()),
    st.binary(max_size=99),
)
def test_every_frame_survives_the_pipe(kind, content, payload):
    frame = Frame(kind, content, payload)
    assert FrameReader().feed(encode(frame)) == [frame]


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        header(bytes=None),
        header(kind=5),
        header(content=[]),
        header(extra=1),
        header(bytes=-1),
        header(bytes=1.5),
        header(bytes=True),
        header(bytes="9"),
        header(bytes=protocol.MAX_PAYLOAD_BYTES + 1),
        b'{"kind": "k", "content": {}, "bytes": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda line: line[:40].decode(errors="replace"),
)
def test_bytes_that_are_not_a_frame_are_malformed(line):
    with pytest.raises(MalformedFrame):
        FrameReader().feed(line + b"\n")


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_header_too_long_is_malformed_before_it_ends(end):
    with pytest.raises(MalformedFrame, match="header of more than"):
        FrameReader().feed(b"x" * (protocol.MAX_HEADER_BYTES + 1) + end)


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_malformed(data):
    with contextlib.suppress(MalformedFrame):
        FrameReader().feed(data + b"\n")


@pytest.mark.parametrize(
    "request_",
    [
        SandboxRequest(True, {"scratch": "/tmp/x"}),
        LoadRequest("model.pkl", "live.parquet", None),
        PredictRequest(None, "live.parquet", more=True),
    ],
)
def test_a_request_is_one_line_and_comes_back_as_it_was_sent(request_):
    line = encode_request(request_).decode()
    assert line.endswith("\n")
    assert "\n" not in line[:-1]
    assert parse_request(line, type(request_)) == request_


def test_a_kind_is_sent_as_its_word():
    (frame,) = FrameReader().feed(encode(Frame(FrameKind.LOADED, {})))
    assert frame.kind == "loaded"
    assert frame.kind == FrameKind.LOADED


@pytest.mark.parametrize("arity", [0, 3, None, "1", True, 1.0])
def test_a_model_of_another_number_of_arguments_is_malformed(arity):
    with pytest.raises(MalformedFrame, match="neither one nor two arguments"):
        LoadedModel.parse({"arity": arity, "name": "f", "seconds": 1.0})


@pytest.mark.parametrize("seconds", [None, 1, -1.0, float("nan"), float("inf"), "1.0"])
def test_a_step_without_a_time_is_malformed(seconds):
    with pytest.raises(MalformedFrame, match="seconds"):
        Predicted.parse({"type": "DataFrame", "rows": 1, "columns": [], "seconds": seconds})
