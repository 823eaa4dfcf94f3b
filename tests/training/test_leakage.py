"""Leakage: on noise no score is significant, and without the embargo the test would fail."""

import json

import numpy as np
import pandas as pd
import pytest

from numerai_predict.data.synthetic import SampleShape, write_sample
from numerai_predict.scoring.target_overlap import overlap_of_days, target_days
from numerai_predict.training.checkpoints import Checkpoints
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.early_stopping import StoppingRule
from numerai_predict.training.evaluation import Evaluator
from numerai_predict.training.k_fold import FoldSizes, plan_folds
from numerai_predict.training.model_fitting import ModelFitter
from numerai_predict.training.progress import TrainingDisplay
from numerai_predict.training.trainers.registry import make_trainer
from numerai_predict.training.training_data import open_training_data
from numerai_predict.training.walk_forward import WindowSizes, plan_windows

SIGNIFICANT = 3.0
HISTORIES, ERAS, STOCKS, FEATURES, HORIZON = 16, 60, 60, 12, 12
TARGET = "target_noise_60"


def t_of(values):
    """Student's t of a mean of independent values."""
    return np.mean(values) / (np.std(values, ddof=1) / np.sqrt(len(values)))


@pytest.mark.process
@pytest.mark.parametrize("scheme", ["walk_forward", "purged_kfold"])
def test_no_score_on_a_target_of_noise_is_significant(training, tmp_path, scheme):
    shape = {"rows": 120, "train_eras": 46, "validation_eras": 20, "features": 60}
    write_sample(tmp_path / "noise", SampleShape(live_rows=100, signal=0, **shape))
    noise = training(folder=tmp_path / "noise", validation={"scheme": scheme, "folds": 4})
    noise.succeeds("--reveal-holdout")
    for part in ("windows", "holdout"):
        for name in ("corr", "mmc", "bmc", "fnc"):
            facts = noise.scores()[part][name]
            independent = facts["effective_eras"]
            assert abs(facts["sharpe"]) * np.sqrt(independent) < SIGNIFICANT, (part, name)


def write_overlapping(folder, seed):
    """The same stocks in each era, and a target that sums the noise of the next twelve.

    A model trained on an era knows most of the targets of neighbouring eras.
    """
    random = np.random.default_rng(seed)
    features = random.integers(0, 5, (STOCKS, FEATURES)).astype(np.int8)
    noise = random.standard_normal((ERAS + HORIZON, STOCKS))
    names = [f"feature_{number}" for number in range(FEATURES)]
    parts = []
    for era in range(ERAS):
        ranks = noise[era : era + HORIZON].sum(axis=0).argsort().argsort() / STOCKS
        frame = pd.DataFrame(features, [f"n{era}_{stock}" for stock in range(STOCKS)], names)
        frame[TARGET] = (np.searchsorted([0.05, 0.25, 0.75, 0.95], ranks) / 4).astype(np.float32)
        parts.append(frame.assign(era=f"{era + 1:04d}"))
    folder.mkdir()
    pd.concat(parts).rename_axis("id").to_parquet(folder / "train.parquet")
    sets = {"feature_sets": {"small": names, "medium": names}, "targets": [TARGET]}
    (folder / "features.json").write_text(json.dumps(sets))


def walk_forward(embargo):
    return lambda eras: plan_windows(eras, WindowSizes(1, 3, 1, 3, embargo))


def k_fold(embargo):
    """Folds of three eras, so that those next to the embargo are a large part of them."""
    sizes = FoldSizes(14, 1, 3, embargo, embargo)
    return lambda eras: plan_folds(eras, sizes)


def scores(folder, plan):
    """The mean CORR of a window or fold and of the holdout, on eras right after its embargo."""
    config = TrainingConfig(
        output=folder / "model",
        data={"files": ["train"]},
        features="small",
        targets=(TARGET,),
        lightgbm={"num_leaves": 31, "min_data_in_leaf": 5, "learning_rate": 0.1},
    )
    inputs = open_training_data(config, folder)
    windows = plan(inputs.eras)
    trainer, _ = make_trainer("lightgbm", config.lightgbm, "cpu", 1)
    checkpoints = Checkpoints(folder / "model" / "checkpoints")
    with checkpoints.locked():
        fitting = ModelFitter(inputs, trainer, checkpoints, TrainingDisplay(2))
        evaluator = Evaluator(inputs, "lightgbm", 0.0, checkpoints, overlap=4)
        found = {}
        for window in (windows.windows[len(windows.windows) // 2], windows.final):
            models = fitting.models(window, [42], {TARGET: StoppingRule("corr", 10, 0, 40)})
            found[window.name] = evaluator.evaluate(window, models).scores["corr"].mean()
    return found


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    """Independent histories of noise."""
    folder = tmp_path_factory.mktemp("noise")
    for seed in range(HISTORIES):
        write_overlapping(folder / str(seed), seed)
    return [folder / str(seed) for seed in range(HISTORIES)]


@pytest.mark.slow
@pytest.mark.parametrize("plan", [walk_forward, k_fold])
def test_overlapping_targets_leak_nothing_past_the_embargo(histories, plan):
    embargo = overlap_of_days(target_days(TARGET))
    found = pd.DataFrame([scores(folder, plan(embargo)) for folder in histories])
    for part in found:
        assert abs(t_of(found[part])) < SIGNIFICANT, found


@pytest.mark.slow
@pytest.mark.parametrize("plan", [walk_forward, k_fold])
def test_without_the_embargo_there_is_leakage(histories, plan):
    found = pd.DataFrame([scores(folder, plan(0)) for folder in histories])
    for part in found:
        assert t_of(found[part]) > SIGNIFICANT, found
