"""Whatever a model writes to the channel of its frames ends in a verdict about the model."""

import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DatasetUnavailable,
    InternalError,
    ModelError,
    ModelTimeout,
    RunError,
)
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.inspection.python_versions import Pythons
from numerai_predict.inspection.signature import CallableSummary
from numerai_predict.runner.child.exception_report import describe
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import (
    MODEL_PAYLOADS,
    Frame,
    FrameKind,
    FrameReader,
    Stage,
    encode,
)
from numerai_predict.runner.supervisor.failure_schema import read_failure
from numerai_predict.runner.supervisor.session import InspectedModel, ModelSession
from numerai_predict.runner.supervisor.time_limit import response_time_limit
from numerai_predict.sandbox.layers import Layers

STAGES = ["start", "load", "read", "read benchmarks", "predict", "encode", "other", 5, None, []]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        ["", "x", "a\n\x1b[2J\u202e\ud800", "KeyError", "MemoryError", "ImportError"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def exception_content(stage="predict"):
    return {**describe(ValueError("x")), "stage": stage}


FAILED = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(exception_content(), JSON) | {"stage": st.sampled_from(STAGES)}
).map(lambda changes: exception_content() | changes)
LOADED = st.fixed_dictionaries(
    {}, optional={"arity": JSON | st.sampled_from([1, 2]), "name": JSON, "seconds": JSON}
)
PREDICTED = st.fixed_dictionaries(
    {}, optional={"type": JSON, "rows": JSON, "columns": JSON, "seconds": JSON}
)
FRAMES = st.one_of(
    st.builds(Frame, st.just("failed"), FAILED | st.dictionaries(st.text(max_size=5), JSON)),
    st.builds(Frame, st.just("loaded"), LOADED),
    st.builds(Frame, st.just("predicted"), PREDICTED, st.binary(max_size=20)),
    st.builds(Frame, st.sampled_from(["sandboxed", "attempted"]), FAILED | LOADED),
)
INSPECTION = Inspection(
    "model.pkl", 1, CallableSummary("a function"), Pythons(None), 0, (), (), {}, {}, (), (), {}, {}
)


class ForgingProcess:
    """A model process that sends the frames after its sandbox was applied."""

    peak_bytes = 0
    attempted_hosts = ()
    layers = Layers()

    def __init__(self, *frames):
        self.frames = list(frames)

    def await_sandbox(self):
        return Frame("sandboxed", {"engaged": {"seccomp": "on"}, "missing": {}, "unavailable": {}})

    def load(self, _model, _dataset, *, acceleration):
        return self.frames.pop(0)

    def predict(self, _benchmarks, _dataset, *, more):
        return self.frames.pop(0)

    def was_killed_by_container(self):
        return False

    def is_in_memory(self, _path):
        return False


def session_of(*frames):
    call = ModelCall(SourceLabels("model.pkl", "live.parquet", "benchmarks.parquet"), Limits())
    session = ModelSession(call, lambda: None, Deadline(), Layers())
    session._process = ForgingProcess(*frames)
    return session


@pytest.fixture(scope="module")
def data(sample):
    return Path(sample / "live.parquet")


def outcome(frames, data):
    """The error that the frames lead to, or the response."""
    session = session_of(*frames)
    model = data.parent / "model.pkl"
    model.write_bytes(b"x")
    try:
        session.load(InspectedModel(model, INSPECTION), data)
        return session.decode(session.predict(data), ["a"])
    except RunError as error:
        return error


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(FRAMES, FRAMES)
def test_no_frame_of_a_model_blames_the_runner_or_the_data(data, first, second):
    good = Frame("loaded", {"arity": 2, "name": "f", "seconds": 0.1})
    for frames in ((first, second), (good, second)):
        found = outcome(frames, data)
        assert not isinstance(found, InternalError | DatasetUnavailable)
        if isinstance(found, RunError):
            assert found.message.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("failed", exception_content("start")),
        ("failed", exception_content("predict")),
        ("failed", exception_content("encode")),
        ("failed", {}),
        ("failed", exception_content("load") | {"errors": [{"errno": [], "path": None}]}),
        ("failed", exception_content("load") | {"errors": [{"errno": 2, "path": {}}]}),
        ("failed", exception_content("load") | {"types": "MemoryError"}),
        ("failed", exception_content("load") | {"message": 10**15}),
        ("failed", exception_content("load") | {"frames": [{}]}),
        ("failed", exception_content("load") | {"extra": 1}),
        ("predicted", {"type": "DataFrame", "rows": 1, "columns": ["a"], "seconds": 0.1}),
        ("sandboxed", {"engaged": {}, "missing": {}, "unavailable": {}}),
        ("loaded", {"arity": 1, "name": ["f"], "seconds": 0.1}),
        ("loaded", {"arity": True, "name": "f", "seconds": 0.1}),
        ("loaded", {"arity": 1, "name": "f", "seconds": 1}),
    ],
)
def test_a_frame_that_is_not_due_is_an_invalid_response(data, kind, content):
    error = outcome([Frame(kind, content)], data)
    assert error.verdict.word == "model_crashed"
    assert "sent an invalid response" in error.message


@pytest.mark.parametrize("stage", ["read", "read benchmarks"])
@pytest.mark.process
def test_data_that_the_supervisor_can_read_are_not_blamed(data, stage):
    good = Frame("loaded", {"arity": 2, "name": "f", "seconds": 0.1})
    failed = Frame("failed", exception_content(stage))
    error = outcome([failed] if stage == "read" else [good, failed], data)
    assert isinstance(error, ModelError)
    assert "readable outside of it" in error.message


@pytest.mark.process
def test_data_that_the_supervisor_cannot_read_are_unavailable(tmp_path):
    broken = tmp_path / "live.parquet"
    broken.write_bytes(b"PAR1 nonsense")
    error = outcome([Frame("failed", exception_content("read"))], broken)
    assert isinstance(error, DatasetUnavailable)


@pytest.mark.parametrize("kind", ["sandboxed", "loaded", "attempted", "failed"])
def test_only_predictions_have_a_payload(kind):
    with pytest.raises(MalformedFrame, match="payload"):
        FrameReader(MODEL_PAYLOADS).feed(encode(Frame(kind, {}, b"x")))


def test_a_kind_that_no_model_process_sends_is_malformed():
    with pytest.raises(MalformedFrame, match="unknown kind"):
        FrameReader(MODEL_PAYLOADS).feed(encode(Frame("done", {})))


def test_the_time_to_read_many_small_frames_grows_with_their_number():
    frame = encode(Frame(FrameKind.ATTEMPTED, {"host": "h"}))

    def seconds(count):
        started = time.process_time()
        assert len(FrameReader().feed(frame * count)) == count
        return time.process_time() - started

    base = min(seconds(2_000) for _ in range(5))
    assert min(seconds(32_000) for _ in range(5)) < 64 * base


def test_what_a_model_process_describes_fits_the_schema():
    class Odd(Exception):
        def __str__(self):
            raise KeyError("y" * 10**6)

    class OddCause(Exception):
        @property
        def __cause__(self):
            raise ValueError("no cause")

    class OddName(Exception):
        @property
        def name(self):
            raise KeyboardInterrupt

    Odd.__qualname__ = "Q" * 10**5
    errors = [Odd(), OSError(2, "n", "p" * 10**5), ImportError("m" * 10**6, name="n" * 10**5)]
    for error in (*errors, OddCause("x"), OddName("x")):
        content = json.loads(json.dumps({**describe(error), "stage": "load"}))
        assert len(json.dumps(content)) < 70_000
        assert read_failure(content, [Stage.LOAD])


def test_the_supervisor_ends_a_check_that_takes_too_long():
    started = time.monotonic()

    def check():
        while time.monotonic() < started + 30:
            pass

    with response_time_limit(0.2), pytest.raises(ModelTimeout, match="checked within"):
        check()
    assert time.monotonic() - started < 10


def test_a_time_limit_inside_another_leaves_the_outer_one_running():
    def check():
        with response_time_limit(10):
            pass
        threading.Event().wait(10)

    with response_time_limit(0.3), pytest.raises(ModelTimeout, match=r"within 0\.3 s"):
        check()
