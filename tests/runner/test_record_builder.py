"""The record of a run is built from what the steps return, also after a failure."""

import time
from pathlib import Path

import pytest

from numerai_predict.contract.errors import ModelTimeout
from numerai_predict.contract.record import DataFacts, EnvironmentFacts, Step
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.fetching import FetchedFile
from numerai_predict.runner.protocol import LoadedModel
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.supervisor.session import SessionSummary
from numerai_predict.runner.validation.prediction_validation import ValidatedPredictions
from numerai_predict.sandbox.layers import Layers


@pytest.fixture
def builder():
    return RecordBuilder(EnvironmentFacts(python="3.12.1", image=None, runner="1.0"))


def test_a_record_that_was_built_does_not_change_afterwards(builder):
    before = builder.build()
    builder.add_warnings(["one"])
    builder.conclude(Verdict.OK, "done")
    assert before.warnings == ()
    assert before.verdict == "internal_error"
    assert builder.build().warnings == ("one",)


def test_the_time_of_a_step_adds_up_and_counts_a_step_that_fails(builder):
    with builder.timed(Step.FETCH):
        time.sleep(0.01)
    first = builder.build().seconds.fetch
    with pytest.raises(ValueError, match="broken"), builder.timed(Step.FETCH):
        raise ValueError("broken")
    assert builder.build().seconds.fetch > first >= 0.01
    assert builder.build().seconds.load is None


def test_the_source_of_a_model_that_cannot_be_fetched_is_recorded(builder):
    builder.set_model_source("https://host/model.pkl")
    model = builder.build().model
    assert (model.source, model.sha256, model.bytes) == ("https://host/model.pkl", None, None)


def test_a_fetched_model_keeps_its_pythons_and_arity(builder):
    builder.set_pythons(["3.11", "3.12"])
    builder.add_session(SessionSummary(loaded=LoadedModel(2, "predict", 0.5)))
    builder.set_model_file(FetchedFile("model.pkl", Path("/x/model.pkl"), "ab" * 32, 17))
    model = builder.build().model
    assert (model.python, model.arity) == (("3.11", "3.12"), 2)
    assert (model.source, model.sha256, model.bytes) == ("model.pkl", "ab" * 32, 17)


def test_a_session_that_failed_before_loading_leaves_its_layers_and_its_peak(builder):
    layers = Layers({"landlock": "read-only"}, {"seccomp": "not compiled in"})
    builder.add_session(SessionSummary(layers, peak_bytes=5))
    record = builder.build()
    assert record.sandbox == {"landlock": "read-only", "seccomp": "missing: not compiled in"}
    assert record.peak_memory_bytes == 5
    assert record.seconds.load is None


def test_a_session_without_a_process_leaves_no_peak(builder):
    builder.add_session(SessionSummary())
    assert builder.build().peak_memory_bytes is None
    assert builder.build().sandbox == {}


def test_valid_predictions_are_summarised_before_they_are_written(builder):
    builder.set_predictions(ValidatedPredictions(("a", "b"), (0.25, 0.75), 0.5, ("dropped",)))
    record = builder.build()
    assert (record.predictions.rows, record.predictions.min, record.predictions.max) == (
        2,
        0.25,
        0.75,
    )
    assert record.predictions.path is None
    assert record.warnings == ("dropped",)


def test_an_error_sets_its_verdict(builder):
    builder.fail(ModelTimeout("too slow", "be faster"))
    record = builder.build()
    assert (record.verdict, record.exit_code) == ("timeout", 23)
    assert (record.message, record.remedy) == ("too slow", "be faster")


def test_an_earlier_record_is_continued(builder):
    builder.set_dataset(DataFacts("live.parquet"))
    resumed = RecordBuilder.resume(builder.build())
    resumed.set_destination("s3://bucket/x.csv")
    assert resumed.build().dataset.source == "live.parquet"
    assert resumed.build().delivered_to == "s3://bucket/x.csv"
    assert builder.build().delivered_to is None
