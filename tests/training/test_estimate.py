"""`train --plan`: rows, memory and time before anything is trained, and nothing written."""

import json

import numpy as np
import pytest

from numerai_predict.data.era_table import EraTable
from numerai_predict.training import estimate
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.k_fold import FoldSizes, plan_folds
from numerai_predict.training.training_data import TrainingData


class TimedTrainer:
    """A trainer with a clock of its own.

    A round takes 2 ms and 1 ms for each thousand rows, loading 10 ms for each thousand.
    """

    bytes_per_value = 2.0

    def __init__(self):
        self.now, self.rounds = 0.0, 0

    def load(self, rows):
        self.now += len(rows.target) / 1e5
        return len(rows.target)

    def fit(self, training, stopping, seed, rounds, observer):
        self.now += rounds * (0.002 + training / 1e6)
        self.rounds += rounds


@pytest.fixture
def trainer(monkeypatch):
    made = TimedTrainer()
    monkeypatch.setattr(estimate.time, "perf_counter", lambda: made.now)
    return made


@pytest.fixture
def inputs(data):
    history = EraTable.of([data / "train.parquet"], ["feature_sample_0000", "target"])
    eras = sorted({int(era) for era in np.unique(history.eras)})
    targets = {"target": history.column("target")}
    return TrainingData(data, history, {}, ["feature_sample_0000"], [], targets, eras, None, None)


def test_the_time_follows_the_rows_of_each_window(inputs, trainer, monkeypatch):
    monkeypatch.setattr(estimate, "_TRIAL_ROWS", (1200, 3600))
    config = TrainingConfig(rounds=100, seeds=(1, 2), use_holdout=True)
    plan = plan_folds(inputs.eras, FoldSizes(2, 4, 8, 2, 2))
    found = estimate.estimate_training(config, inputs, plan, trainer)
    assert [each.name for each in found.windows] == ["fold-1", "fold-2", "final", "whole"]
    for each, window in zip(found.windows, (*plan.windows, plan.final), strict=False):
        assert each.training_rows == 120 * len(window.training)
        assert each.stopping_rows == 120 * len(window.stopping)
        rounds = 2 * 100 * (0.002 + each.training_rows / 1e6)
        load = (each.training_rows + each.stopping_rows) / 1e5
        assert each.seconds == pytest.approx(rounds + load, rel=0.01)
    assert found.windows[-1].training_rows == 120 * 46
    assert found.seconds == pytest.approx(sum(each.seconds for each in found.windows))
    assert found.memory_bytes == 800_000_000 + 2 * 120 * 46
    assert trainer.rounds < 30


def test_data_smaller_than_a_trial_are_timed_as_a_whole(inputs, trainer):
    plan = plan_folds(inputs.eras, FoldSizes(2, 4, 8, 2, 2))
    found = estimate.estimate_training(TrainingConfig(rounds=10), inputs, plan, trainer)
    final = found.windows[-1]
    rounds = 3 * 10 * (0.002 + final.training_rows / 1e6)
    assert final.seconds == pytest.approx(rounds + final.training_rows / 1e5, rel=0.1)


@pytest.mark.process
def test_the_plan_is_shown_and_nothing_is_written(training):
    made = training()
    ended = made.succeeds("--plan")
    assert "final" in ended.stdout
    assert "6 models of at most 40 rounds on 42 features" in ended.stdout
    assert "no model was trained" in ended.last
    assert not made.output.exists()
    shown = json.loads(made.succeeds("--plan", "--json").stdout)
    assert [each["training_eras"] for each in shown["windows"]] == [30, 36, 54]
    assert shown["seconds"] > 0


def test_too_little_memory_is_a_warning(capsys, monkeypatch):
    from numerai_predict.cli import training_plan

    logged = []
    monkeypatch.setattr(training_plan, "log_step", lambda *words: logged.append(words))
    window = estimate.WindowEstimate("final", 1, 10, 1000, 0, 60.0)
    large = estimate.TrainingEstimate([window], 2750, 10, 8 * 1024**3, 4 * 1024**3)
    training_plan.show_plan(large, as_json=False)
    assert logged[0][0] == "warning"
    assert "expected 8.0 GiB of free memory, found 4.0 GiB" in logged[0][1]
    assert "1:00 at most" in capsys.readouterr().out
