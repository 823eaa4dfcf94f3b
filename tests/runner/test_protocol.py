"""What the child sends is taken apart with care: it is a stranger's."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerai_predict.runner import protocol
from numerai_predict.runner.protocol import Frame, FrameReader, MalformedFrame, encode

FRAME = Frame("predicted", {"rows": 2, "text": "ü\n"}, b"pay\nload\x00")


def header(**changes):
    facts = {"kind": "predicted", "facts": {}, "bytes": 0, **changes}
    return json.dumps({key: value for key, value in facts.items() if value is not None}).encode()


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
def test_every_frame_survives_the_pipe(kind, facts, payload):
    frame = Frame(kind, facts, payload)
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
        header(facts=[]),
        header(extra=1),
        header(bytes=-1),
        header(bytes=1.5),
        header(bytes=True),
        header(bytes="9"),
        header(bytes=protocol.LONGEST_PAYLOAD_BYTES + 1),
        b'{"kind": "k", "facts": {}, "bytes": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda line: line[:40].decode(errors="replace"),
)
def test_what_is_no_frame_is_malformed(line):
    with pytest.raises(MalformedFrame):
        FrameReader().feed(line + b"\n")


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_header_too_long_is_malformed_before_it_ends(end):
    with pytest.raises(MalformedFrame, match="header of more than"):
        FrameReader().feed(b"x" * (protocol.LONGEST_HEADER_BYTES + 1) + end)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_malformed(data):
    with contextlib.suppress(MalformedFrame):
        FrameReader().feed(data + b"\n")
