"""Summary statistics of scores over eras."""

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import sharpe_ratio

from numerai_predict.scoring.score_summary import ScoreSummary, drawdown, summarize

SCORES = pd.Series([0.02, -0.01, -0.03, 0.05, -0.02], ["0001", "0002", "0003", "0004", "0005"])


def test_the_summary_is_mean_deviation_and_the_sharpe_of_numerai_tools():
    found = summarize(SCORES)
    assert found.mean == pytest.approx(0.002)
    assert found.sharpe == pytest.approx(sharpe_ratio(SCORES))
    assert found.std == pytest.approx(found.mean / found.sharpe)
    assert found.eras == 5


def test_the_drawdown_is_the_deepest_fall_of_the_cumulative_sum():
    assert summarize(SCORES).max_drawdown == pytest.approx(0.04)
    assert drawdown(SCORES).tolist() == pytest.approx([0, 0.01, 0.04, 0, 0.02])


def test_a_loss_in_the_first_era_is_a_drawdown_and_gains_alone_have_none():
    assert summarize(pd.Series([-0.03, 0.01])).max_drawdown == pytest.approx(0.03)
    assert summarize(pd.Series([0.01, 0.02])).max_drawdown == 0.0


def test_eras_without_a_score_are_skipped():
    gaps = SCORES.reindex(["0000", *SCORES.index, "0006"])
    assert summarize(gaps) == summarize(SCORES)
    assert drawdown(gaps)["0006"] == drawdown(SCORES)["0005"]


def test_undefined_statistics_are_none():
    assert summarize(pd.Series([], dtype=float)) == ScoreSummary(None, None, None, None, 0)
    assert summarize(pd.Series([np.nan, np.nan])) == ScoreSummary(None, None, None, None, 0)
    assert summarize(pd.Series([0.01])) == ScoreSummary(0.01, None, None, 0.0, 1)


@pytest.mark.parametrize("value", [0.0, 0.1, -0.3])
def test_equal_scores_have_no_sharpe(value):
    found = summarize(pd.Series([value] * 7))
    assert found.sharpe is None
    assert found.mean == pytest.approx(value)
