"""Whatever a hostile model process sends ends in a verdict, never in an internal error."""

import contextlib
from dataclasses import asdict

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerai_predict.contract.errors import InternalError, InvalidPredictions, RunError
from numerai_predict.runner.child import prediction_encoder
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.hosted_forms import ReturnedForm
from numerai_predict.runner.protocol import Predicted
from numerai_predict.runner.supervisor.crash_report import CrashReport
from numerai_predict.runner.supervisor.crash_rules import classify_crash
from numerai_predict.runner.supervisor.failure_report import Failure
from numerai_predict.runner.supervisor.failure_rules import classify_failure
from numerai_predict.runner.validation import predictions, submission_rules

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def some_of(*keys):
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, JSON))


def stream(**columns):
    table = pa.table(columns)
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue().to_pybytes()


def decode(content, payload, live_ids):
    form = content.get("form")
    sent = asdict(form) if isinstance(form, ReturnedForm) else form
    predicted = Predicted.parse({"seconds": 0.1, **content, "form": sent})
    return predictions.decode(predicted, payload, live_ids)


GOOD = stream(id=["a", "b"], value=[0.1, 0.2])
CONTENT = {"type": "DataFrame", "rows": 2, "columns": ["prediction"]}


@pytest.mark.slow
@settings(max_examples=1000)
@given(
    some_of(
        "type",
        "types",
        "message",
        "frames",
        "module",
        "attribute",
        "attribute_of",
        "defect",
        "intact",
    ),
    st.sampled_from(["load", "read", "predict", "encode", "other"]),
)
def test_any_content_of_a_failure_become_an_error_with_a_verdict(tmp_path_factory, content, stage):
    model = tmp_path_factory.getbasetemp() / "made_up.pkl"
    model.write_bytes(b"x")
    failure = Failure({**content, "stage": stage}, model, "live.parquet", 2**30, 2**20)
    error = classify_failure(failure)
    assert isinstance(error, RunError)
    assert not isinstance(error, InternalError)
    assert error.message
    assert error.remedy


@pytest.mark.parametrize(
    "content",
    [{"types": 5}, {"frames": 5}, {"frames": {"a": 1}}, {"types": [["ImportError"]]}],
    ids=str,
)
def test_content_of_another_type_become_an_error_with_a_verdict(tmp_path, content):
    failure = Failure(content, tmp_path, "live.parquet", None, 0)
    assert isinstance(classify_failure(failure), RunError)


@given(st.none() | st.integers(-70, 255), st.none() | st.text(max_size=9))
def test_every_crash_has_a_message_and_a_remedy(status, malformed):
    error = classify_crash(CrashReport(status, malformed), 2**20)
    assert error.verdict.word == "model_crashed"
    assert error.message
    assert error.remedy


@pytest.mark.slow
@settings(max_examples=500)
@given(some_of("type", "rows", "columns"), st.binary(max_size=50) | st.just(GOOD) | st.just(b""))
def test_any_response_is_decoded_or_malformed_and_then_validated(content, payload):
    with contextlib.suppress(MalformedFrame, InvalidPredictions):
        submission_rules.check(decode(content, payload, ["a", "b"]))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_stream_with_a_wrong_byte_is_decoded_or_malformed(position, byte):
    data = bytearray(GOOD)
    data[position] = byte
    with contextlib.suppress(MalformedFrame):
        decode(CONTENT, bytes(data), ["a", "b"])


@pytest.mark.parametrize(
    ("content", "payload"),
    [
        pytest.param({"rows": 2}, GOOD, id="no columns"),
        pytest.param({**CONTENT, "rows": "2"}, GOOD, id="rows of text"),
        pytest.param({**CONTENT, "columns": ["a", "b"]}, GOOD, id="no column is meant"),
        pytest.param(CONTENT, b"garbage", id="no stream"),
        pytest.param(CONTENT, GOOD[:-40], id="truncated stream"),
        pytest.param(CONTENT, stream(id=["a"], value=[1]), id="integers"),
        pytest.param(CONTENT, stream(id=[1], value=[0.1]), id="ids of integers"),
        pytest.param(CONTENT, stream(value=[0.1], id=["a"]), id="another order"),
        pytest.param(CONTENT, stream(id=["a"]), id="no values"),
    ],
)
def test_a_response_of_another_shape_is_malformed(content, payload):
    with pytest.raises(MalformedFrame):
        decode(content, payload, ["a", "b"])


def test_a_response_is_decoded_as_it_was_encoded():
    decoded = decode(
        *prediction_encoder.encode(pd.DataFrame({"x": [0.5, None]}, index=["b", None])), ["a"]
    )
    assert decoded.ids == ["b", None]
    assert decoded.values[0] == 0.5
    assert pd.isna(decoded.values[1])
    assert (decoded.rows, decoded.columns, decoded.type) == (2, ["x"], "DataFrame")


def test_a_very_wide_frame_keeps_its_column_of_predictions():
    frame = pd.DataFrame(0.5, index=["a"], columns=[*map(str, range(500)), "prediction"])
    content, payload = prediction_encoder.encode(frame)
    assert len(content["columns"]) <= 100
    assert decode(content, payload, ["a"]).columns[0] == "prediction"


@pytest.mark.parametrize("key", ["feature_a", "'feature_b'"])
def test_the_causes_are_tried_in_order_and_the_first_that_knows_wins(tmp_path, key):
    content = {"type": "KeyError", "types": ["KeyError"], "message": key, "stage": "predict"}
    error = classify_failure(Failure(content, tmp_path, "live.parquet", None, 0))
    assert error.verdict.word == "model_error"
    assert "live.parquet" in error.remedy
