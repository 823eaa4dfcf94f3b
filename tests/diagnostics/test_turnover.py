"""Turnover: of ranks if eras share ids, else of exposures."""

import numpy as np
import pandas as pd
import pytest

from numerai_predict.diagnostics.metrics import correlations
from numerai_predict.diagnostics.turnover import Turnover, TurnoverKind

IDS = [f"n{number:03d}" for number in range(100)]


def series(values, ids=IDS):
    return pd.Series(values, ids)


@pytest.fixture
def random():
    return np.random.default_rng(8)


def test_eras_with_common_ids_have_a_turnover_of_ranks(random):
    turnover, first = Turnover(), random.random(100)
    noise = random.random(100)
    for era, values in (("1", first), ("2", first**3), ("3", -first), ("4", noise)):
        turnover.add(era, series(values), random.random(50))
    assert turnover.kind is TurnoverKind.RANKS
    found = turnover.per_era
    assert np.isnan(found["1"])
    assert found["2"] == pytest.approx(0)
    assert found["3"] == pytest.approx(2)
    assert found["4"] == pytest.approx(1 - series(-first).corr(series(noise), method="spearman"))


def test_only_common_ids_count(random):
    values = random.random(100)
    turnover = Turnover()
    turnover.add("1", series(values), values)
    turnover.add("2", series(values[40:], IDS[40:]), values)
    assert turnover.per_era["2"] == pytest.approx(0)
    turnover = Turnover()
    turnover.add("1", series(values), values)
    turnover.add("2", series(values[60:], IDS[60:]), values)
    assert turnover.kind is TurnoverKind.EXPOSURES


def test_eras_without_common_ids_have_a_turnover_of_exposures(random):
    turnover, exposures = Turnover(), random.normal(size=50)
    for era in range(3):
        ids = [f"{era}-{name}" for name in IDS]
        turnover.add(str(era), series(random.random(100), ids), exposures * (1 + era))
    assert turnover.kind is TurnoverKind.EXPOSURES
    assert turnover.per_era.tolist() == pytest.approx([np.nan, 0, 0], nan_ok=True)


def test_one_era_has_no_turnover_and_constant_predictions_have_none(random):
    turnover = Turnover()
    turnover.add("1", series(random.random(100)), np.full(50, np.nan))
    assert turnover.per_era.isna().all()
    turnover.add("2", series(np.full(100, 0.5)), np.full(50, np.nan))
    assert turnover.per_era.isna().all()


def test_correlations_with_other_models_are_spearmans_where_enough_is_known(random):
    own, other = series(random.random(100)), series(random.random(100))
    few = other[:79]
    found = correlations(own, {"other": other[::-1], "few": few, "constant": other * 0})
    assert found["other"] == pytest.approx(own.corr(other, method="spearman"))
    assert np.isnan(found["few"])
    assert np.isnan(found["constant"])
