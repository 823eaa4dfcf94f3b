"""Summary statistics of scores over eras."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import sharpe_ratio

from numerai_predict.scoring.score_summary import (
    QuantitySummary,
    ScoreSummary,
    above_zero,
    beside_best_of,
    drawdown,
    summarize,
    summarize_best_of,
    summarize_quantity,
)

SCORES = pd.Series([0.02, -0.01, -0.03, 0.05, -0.02], ["0001", "0002", "0003", "0004", "0005"])


def test_the_summary_is_mean_deviation_and_the_sharpe_of_numerai_tools():
    found = summarize(SCORES, 1)
    assert found.mean == pytest.approx(0.002)
    assert found.sharpe == pytest.approx(sharpe_ratio(SCORES))
    assert found.std == pytest.approx(found.mean / found.sharpe)
    assert found.eras == 5


def test_the_drawdown_is_the_deepest_fall_of_the_cumulative_sum():
    assert summarize(SCORES, 1).max_drawdown == pytest.approx(0.04)
    assert drawdown(SCORES).tolist() == pytest.approx([0, 0.01, 0.04, 0, 0.02])


def test_a_loss_in_the_first_era_is_a_drawdown_and_gains_alone_have_none():
    assert summarize(pd.Series([-0.03, 0.01]), 1).max_drawdown == pytest.approx(0.03)
    assert summarize(pd.Series([0.01, 0.02]), 1).max_drawdown == 0.0


def test_eras_without_a_score_are_skipped():
    gaps = SCORES.reindex(["0000", *SCORES.index, "0006"])
    found = summarize(gaps, 1)
    assert found.undefined_eras == 2
    assert replace(found, undefined_eras=0) == summarize(SCORES, 1)
    assert drawdown(gaps)["0006"] == drawdown(SCORES)["0005"]


def test_undefined_statistics_are_none():
    nothing = ScoreSummary(None, None, None, None, 0)
    assert summarize(pd.Series([], dtype=float), 4) == nothing
    assert summarize(pd.Series([np.nan, np.nan]), 4) == replace(nothing, undefined_eras=2)
    assert summarize(pd.Series([0.01]), 1) == ScoreSummary(0.01, None, None, 0.0, 1, 1.0)


@pytest.mark.parametrize("value", [0.0, 0.1, -0.3])
def test_equal_scores_have_no_sharpe(value):
    found = summarize(pd.Series([value] * 7), 1)
    assert found.sharpe is None
    assert found.mean == pytest.approx(value)
    assert found.sharpe_interval is None


def test_too_few_effective_eras_have_no_interval_and_the_reason_says_how_many():
    scores = pd.Series(np.linspace(-1, 1, 12), [f"{era:04d}" for era in range(1, 13)])
    found = summarize(scores, 4)
    assert (found.effective_eras, found.mean_interval, found.sharpe_interval) == (3.0, None, None)
    assert found.without_interval == "no interval: 3 effective eras"
    assert summarize(scores, 3).without_interval is None


def test_the_overlap_counts_in_eras_not_in_scores():
    every_fourth = pd.Series(np.linspace(-1, 1, 12), [f"{era:04d}" for era in range(1, 48, 4)])
    assert summarize(every_fourth, 4) == summarize(every_fourth, 1)


def test_a_quantity_has_a_mean_a_largest_value_and_no_sharpe():
    found = summarize_quantity(pd.Series([0.1, np.nan, 0.3]))
    assert found == QuantitySummary(pytest.approx(0.2), pytest.approx(0.1), 0.3, 2)
    assert summarize_quantity(pd.Series([0.1])) == QuantitySummary(0.1, None, 0.1, 1)
    assert summarize_quantity(pd.Series([np.nan])) == QuantitySummary(None, None, None, 0)


def test_of_the_best_of_several_models_less_is_left_and_no_drawdown():
    scores = pd.Series(np.linspace(-1, 2, 52), [f"{era:04d}" for era in range(1, 53)])
    alone, best = summarize(scores, 4), summarize_best_of(scores, 4, 8)
    assert best.mean < alone.mean
    assert best.sharpe < alone.sharpe
    for kind in ("mean", "sharpe"):
        before, after = (getattr(each, f"{kind}_interval") for each in (alone, best))
        assert after.low < before.low < after.high == pytest.approx(before.high)
        assert after.low < getattr(best, kind) < after.high


def test_the_best_of_several_stands_below_the_score_it_is_of():
    score = ScoreSummary(0.01, None, None, 0.0, 1)
    rows = beside_best_of({"corr": score, "mmc": score}, {"corr": score}, 3)
    assert list(rows) == ["corr", "  best of 3: corr", "mmc"]
    assert list(beside_best_of({"corr": score}, {"corr": score}, 1)) == ["corr"]


def test_of_too_few_eras_nothing_is_left_to_show():
    scores = pd.Series([0.1, 0.2, 0.1, 0.3], ["0001", "0002", "0003", "0004"])
    short, best = summarize(scores, 4), summarize_best_of(scores, 4, 2)
    assert short.is_too_short_to_judge
    assert (best.mean, best.sharpe, best.mean_interval) == (None, None, None)
    assert list(beside_best_of({"corr": short}, {"corr": best}, 2)) == ["corr"]
    assert not summarize(pd.Series([np.nan]), 4).is_too_short_to_judge


def scores_of(random, correlation, count=3, eras=52, overlap=4):
    """Scores of a model without skill, correlated as given, by name."""
    shocks = random.standard_normal((count + 1, eras + overlap - 1))
    mixed = np.sqrt(correlation) * shocks[0] + np.sqrt(1 - correlation) * shocks[1:]
    sums = np.sum([mixed[:, first : first + eras] for first in range(overlap)], axis=0)
    names = [f"{era:04d}" for era in range(1, eras + 1)]
    return {f"score {number}": pd.Series(values, names) for number, values in enumerate(sums)}


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("looks", [1, 3])
def test_a_model_without_skill_has_a_score_above_0_in_at_most_4_percent(correlation, looks):
    random = np.random.default_rng(6)
    found = []
    for _ in range(300):
        models = [scores_of(random, correlation) for _ in range(looks)]
        found.append(any(above_zero(scores, 4, looks) for scores in models))
    assert np.mean(found) <= 0.04


def test_scores_far_above_0_are_named_in_their_order():
    scores = scores_of(np.random.default_rng(2), 0.0)
    scores["score 2"] += 9
    scores["score 0"] += 9
    scores["score 1"] -= 9
    assert above_zero(scores, 4) == ["score 0", "score 2"]
    assert above_zero({name: each[:8] for name, each in scores.items()}, 4) == []
    assert above_zero({}, 4) == []
