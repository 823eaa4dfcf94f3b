"""The sentence on top says what the figures support, and no more."""

import numpy as np
import pandas as pd
import pytest

from numerai_predict.diagnostics.conclusion import conclusion
from numerai_predict.diagnostics.report import FeatureExposure
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.scoring.score_summary import summarize_best_of


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
    best = {"corr": summarize_best_of(report.eras["corr"], 4, 500)}
    found = conclusion(report_of(0.006, models_shown=500, best_of=best))
    assert "do not support" in found[0]
    assert "500 models were scored" in found[-1]


def test_a_large_exposure_is_named(report_of):
    large = [FeatureExposure("feature_x", 0.5, 0.1, 0.5, 0.6, 0)]
    assert conclusion(report_of(0.03, exposures=large))[-1] == (
        "It follows the feature feature_x closely: exposure 0.50."
    )


def test_no_score_at_all_is_said(report_of):
    assert conclusion(report_of(float("nan"))) == [
        "The model cannot be judged: no era that counts has a score."
    ]
