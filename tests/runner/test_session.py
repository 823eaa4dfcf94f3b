"""One session drives a model process: start, load, predict, close.

Each session runs in a process of its own, because closing it kills all descendants of its process.
"""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

PRELUDE = """
import json, sys
from pathlib import Path
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.runner.live_data import read_ids
from numerai_predict.runner.preflight import inspect_model
from numerai_predict.runner.supervisor.session import InspectedModel, ModelSession, new_interpreter
from numerai_predict.sandbox.layers import Layers

model, live = Path(sys.argv[1]), Path(sys.argv[2])
call = ModelCall(SourceLabels("model.pkl"), Limits(seconds=60.0))
inspected = InspectedModel(model, inspect_model(model))
start = new_interpreter(call, [model, live])
session = ModelSession(call, start, Deadline(), Layers({"runner": "hidden"}))
found = []
"""


@pytest.fixture
def in_session(sample, pickle_model, clean_environment):
    """Run the lines, which note what they find in `found`, with a session of the model."""

    def run(model, lines):
        program = f"{PRELUDE}{lines}\nprint(json.dumps(found))"
        live = str(sample / "live.parquet")
        ended = subprocess.run(
            [sys.executable, "-c", program, str(pickle_model(model)), live],
            capture_output=True,
            text=True,
            timeout=120,
            env=clean_environment,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_a_session_goes_through_its_stages_and_summarises_what_it_measured(in_session):
    lines = """
found.append(session.stage.value)
with session:
    found.append(session.stage.value)
    loaded = session.load(inspected, live)
    found.append(session.stage.value)
    predictions = session.decode(session.predict(None), read_ids(live, "live"))
found += [session.stage.value, loaded.arity, loaded.name, predictions.rows]
summary = session.summary
found += [summary.loaded == loaded, summary.predict_seconds >= 0, summary.peak_bytes > 2**20]
found.append([summary.layers.engaged["runner"], "session" in summary.layers.engaged])
"""
    assert in_session(ranks, lines) == [
        "new",
        "started",
        "loaded",
        "closed",
        1,
        "ranks",
        200,
        True,
        True,
        True,
        ["hidden", True],
    ]


def test_one_loaded_model_is_called_as_often_as_calls_are_announced(in_session):
    def predict(live_features):
        calls.append(1)
        return ranks(live_features) * 0 + len(calls) / 10

    calls = []
    lines = """
with session:
    session.load(inspected, live)
    for number in range(3):
        dataset = None if number == 0 else live
        response = session.predict(None, dataset, more=True)
        found.append(session.decode(response, read_ids(live, "live")).values[0])
"""
    assert in_session(predict, lines) == [0.1, 0.2, 0.3]


def test_a_failure_is_an_error_with_a_verdict_and_the_summary_outlives_it(in_session):
    def predict(live_features):
        raise ValueError("not today")

    lines = """
try:
    with session:
        session.load(inspected, live)
        session.predict(None)
except RunError as error:
    found += [error.verdict.word, error.message.splitlines()[0]]
found += [session.stage.value, session.summary.loaded.arity, session.summary.predict_seconds]
"""
    assert in_session(predict, lines) == [
        "model_error",
        "the model raised ValueError: not today",
        "closed",
        1,
        None,
    ]


def test_a_host_that_the_model_tried_to_reach_is_in_the_error_and_in_the_summary(in_session):
    def predict(live_features):
        import socket

        socket.create_connection(("example.com", 80), timeout=5)

    lines = """
try:
    with session:
        session.load(inspected, live)
        session.predict(None)
except RunError as error:
    found.append("tried to open a network connection to example.com:80" in error.message)
found.append(list(session.summary.attempted_hosts))
"""
    assert in_session(predict, lines) == [True, ["example.com:80"]]


def test_leaving_a_session_that_loaded_nothing_kills_the_process(in_session):
    lines = """
with session:
    pid = session._process._process.pid
found.append(Path(f"/proc/{pid}").exists())
found.append(session.summary.loaded)
"""
    assert in_session(ranks, lines) == [False, None]
