"""The sentence on top says what the figures support, and no more."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from numerai_predict.diagnostics.conclusion import conclusion
from numerai_predict.diagnostics.report import FeatureExposure
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.scoring.score_summary import summarize


@pytest.fixture
def report_of(make_report):
    def make(mean, count=100, kind=EraKind.CLEAN, **changes):
        index = [f"{number:04d}" for number in range(count)]
        noise = np.random.default_rng(3).normal(0, 0.02, count)
        eras = pd.DataFrame({"corr": mean + noise}, index)
        eras["max_exposure"], eras["turnover"] = 0.1, 0.2
        return make_report(eras, kinds=[kind] * count, **changes)

    return make


def test_skill_is_called_skill(report_of):
    first, second = conclusion(report_of(0.03))
    skill = "The figures support skill: CORR is above 0 beyond chance"
    assert first == f"{skill}, on eras it was not trained on."
    assert second.startswith("CORR is above 0: 0.0")


def test_one_of_several_scores_needs_more(report_of):
    """A score that is above 0 alone may not be as one of three."""
    one = report_of(0.0055)
    assert one.skilled == ["corr"]
    eras = one.eras.assign(
        **{name: np.random.default_rng(7).normal(0, 0.02, 100) for name in ("mmc", "bmc")}
    )
    three = replace(
        one, eras=eras, scores={name: summarize(eras[name], 4) for name in ("corr", "mmc", "bmc")}
    )
    first, second, *_ = conclusion(three)
    assert three.skilled == []
    assert "no score is above 0 beyond chance, as one of 3 scores" in first
    assert second.startswith("CORR alone is above 0, but not among all scores and models")


def test_chance_supports_no_submission(report_of):
    first, second = conclusion(report_of(0.0))
    assert "do not support a submission" in first
    assert "cannot be distinguished from 0" in second


def test_a_bad_model_is_below_zero(report_of):
    assert "CORR is below 0" in conclusion(report_of(-0.03))[1]


def test_few_eras_decide_nothing(report_of):
    first, second = conclusion(report_of(0.03, count=8))
    assert "too few" in first
    assert "no interval: 2 effective eras" in second


def test_unknown_training_eras_are_a_condition(report_of):
    assert "if the model was not trained" in conclusion(report_of(0.03, kind=EraKind.UNKNOWN))[0]


def test_the_best_of_many_needs_more(report_of):
    report = report_of(0.006)
    assert "support skill" in conclusion(report)[0]
    found = conclusion(report_of(0.006, models_shown=500))
    assert "do not support" in found[0]
    assert "500 models were scored" in found[-1]


def test_a_large_exposure_is_named(report_of):
    large = [FeatureExposure("feature_x", 0.5, 0.1, 0.5, 0.6, 0, 100)]
    assert conclusion(report_of(0.03, exposures=large))[-1] == (
        "It follows the feature feature_x closely: absolute exposure 0.50 on average, 0.60 at "
        "most, always on the same side."
    )


def test_a_bet_that_changes_its_side_is_as_large_as_one_that_does_not(report_of):
    changing = [FeatureExposure("feature_x", 0.0, 0.98, 0.98, 0.99, 41, 100)]
    assert conclusion(report_of(0.03, exposures=changing))[-1] == (
        "It follows the feature feature_x closely: absolute exposure 0.98 on average, 0.99 at "
        "most; the side changed 41 times in 100 eras."
    )


def test_eras_of_equal_predictions_are_counted(report_of):
    assert conclusion(report_of(0.03, equal_eras=3))[-1] == (
        "In 3 of 100 eras all predictions are equal: such an era has no score, and the tournament "
        "would refuse such a submission."
    )


def test_no_score_at_all_is_said(report_of):
    assert conclusion(report_of(float("nan"))) == [
        "The model cannot be judged: no era that counts has a score."
    ]
