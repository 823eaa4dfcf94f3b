"""The usage of a diagnosed model: maxima over all calls and batches."""

import pytest

from numerai_predict.contract.record import EnvironmentFacts, Record, Seconds
from numerai_predict.diagnostics.model_usage import UsageRecorder


def record(**changes):
    return Record(environment=EnvironmentFacts("3.11", None, "1.0"), **changes)


def test_the_slowest_call_and_the_largest_peak_count():
    usage = UsageRecorder()
    usage.add_call(record(seconds=Seconds(load=2.0, predict=0.5)))
    usage.add_call(record(seconds=Seconds(load=1.0, predict=0.7)))
    usage.add_batch(record(peak_memory_bytes=900))
    last = record(peak_memory_bytes=800, warnings=("a warning",))
    usage.add_batch(last)
    result = usage.result()
    assert result.predict_seconds == pytest.approx(1.2)
    assert (result.slowest_seconds, result.load_seconds, result.peak_bytes) == (0.7, 2.0, 900)
    assert result.record is last
    assert result.repeatable


def test_a_different_repeated_prediction_makes_the_model_not_repeatable():
    usage = UsageRecorder()
    usage.add_batch(record())
    usage.set_repeatable(False)
    assert not usage.result().repeatable


def test_without_a_finished_batch_there_is_no_result():
    with pytest.raises(RuntimeError, match="expected at least one finished batch"):
        UsageRecorder().result()
