"""Many calls of one model in a container, by an engine that runs its programs on this machine."""

import sys
from pathlib import Path

import pytest
from container_engine import write_engine

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DatasetUnavailable,
    InternalError,
    InvalidPredictions,
    ModelError,
)
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.inspection.images import Image
from numerai_predict.runner.batch import BatchCall
from numerai_predict.runner.container.batch_client import ContainerBatch
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.target import ContainerImage

pytestmark = pytest.mark.process

IMAGE = Image("3.12", "slim", {})


@pytest.fixture
def open_batch(tmp_path, sample, pickle_model):
    """Open a batch of a function with an engine that is this script."""

    def open_batch(function, engine=None):
        script = write_engine(tmp_path / "engine", IMAGE.name)
        if engine is not None:
            script.write_text(engine)
        target = ContainerImage(Engine(str(script)), IMAGE)
        call = ModelCall(SourceLabels("model.pkl"))
        return ContainerBatch(target, pickle_model(function), sample, call, Deadline.after(60))

    return open_batch


@pytest.fixture
def call(sample):
    def benchmarks() -> Path:
        raise DatasetUnavailable("no benchmark models", "get them")

    return BatchCall("era 0001", sample / "live.parquet", benchmarks)


def test_each_call_is_answered_and_the_record_is_the_containers(open_batch, call):
    def predict(live_features):
        print("called")
        return live_features["feature_sample_0000"].rank(pct=True).to_frame("prediction")

    with open_batch(predict) as batch:
        first, second = batch.predict(call), batch.predict(call)
    assert first == second
    assert len(first) > 10
    assert batch.record.model.arity == 1
    assert batch.record.seconds.predict is not None
    assert batch.record.peak_memory_bytes > 0


def test_an_exception_of_the_model_is_raised_with_the_name_of_the_call(open_batch, call):
    def predict(live_features):
        raise ValueError("no such feature")

    with pytest.raises(ModelError, match=r"era 0001: .*no such feature"), open_batch(predict) as it:
        it.predict(call)


def test_predictions_are_validated_in_the_container(open_batch, call):
    def predict(live_features):
        return live_features[["feature_sample_0000"]].assign(prediction=2.0)[["prediction"]]

    with pytest.raises(InvalidPredictions), open_batch(predict) as batch:
        batch.predict(call)


def test_missing_benchmark_models_fail_only_a_model_that_takes_them(open_batch, call):
    def predict(live_features, live_benchmark_models):
        return live_features

    with pytest.raises(DatasetUnavailable, match="no benchmark models"), open_batch(predict) as it:
        it.predict(call)


def test_a_container_that_ends_without_a_response_is_an_internal_error(open_batch, call):
    engine = f"#!{sys.executable}\n"
    with (
        pytest.raises(InternalError, match="found that it sent none"),
        open_batch(abs, engine) as batch,
    ):
        batch.predict(call)
