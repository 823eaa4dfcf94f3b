"""Exposures are those of numerai-tools."""

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import max_feature_correlation

from numerai_predict.scoring.exposures import exposure_by_chance, exposures, largest_exposure


@pytest.fixture
def features():
    random = np.random.default_rng(3)
    return random.integers(0, 5, (500, 600)).astype(np.int8)


@pytest.fixture
def names(features):
    return [f"feature_{number}" for number in range(features.shape[1])]


def test_the_largest_exposure_is_that_of_numerai_tools_over_all_features(features, names):
    values = features[:, 411] * 0.5 + np.random.default_rng(4).normal(size=500)
    index = [f"n{number:03x}" for number in np.random.default_rng(5).permutation(500)]
    found = largest_exposure(pd.Series(values, index), features, names)
    ranks = pd.Series(values).rank()
    whole = max_feature_correlation(ranks, pd.DataFrame(features, columns=names))
    assert (found.feature, found.correlation) == pytest.approx(whole)
    assert found.feature == "feature_411"


def test_a_negative_correlation_counts_as_much(features, names):
    found = largest_exposure(pd.Series(-features[:, 7].astype(float)), features, names)
    assert found.feature == "feature_7"
    assert found.correlation > 0.99
    assert found.of_values == pytest.approx(1)


def test_an_outlier_hides_a_bet_from_the_values_and_not_from_the_ranks(features, names):
    values = features[:, 7].astype(float)
    values[int(np.argmin(values))] = 1000
    found = largest_exposure(pd.Series(values), features, names)
    assert found.feature == "feature_7"
    assert found.correlation > 0.9
    assert found.of_values < 0.1


def test_noise_stays_below_the_exposure_by_chance():
    random = np.random.default_rng(8)
    features = random.integers(0, 5, (300, 60)).astype(np.int8)
    names = [str(number) for number in range(60)]
    largest = [
        largest_exposure(pd.Series(random.random(300)), features, names).correlation
        for _ in range(60)
    ]
    limit = exposure_by_chance(300, 60)
    assert np.mean(np.array(largest) > limit) <= 0.05
    assert exposure_by_chance(50, 60) > 0.35
    assert exposure_by_chance(6500, 2750) < 0.08
    assert exposure_by_chance(1, 60) == 1


def test_a_constant_feature_has_no_exposure_and_neither_have_constant_predictions(features, names):
    features[:, 0] = 2
    values = pd.Series(np.arange(500.0))
    assert largest_exposure(values, features[:, :1], names[:1]) is None
    assert largest_exposure(values * 0, features, names) is None
    assert largest_exposure(values, features[:, :2], names[:2]).feature == "feature_1"


def test_the_exposures_to_all_features_are_pearson_correlations_with_the_ranks(features):
    features[:, 300] = 3
    values = pd.Series(np.random.default_rng(6).normal(size=500) + features[:, 5])
    found = exposures(values, features)
    expected = pd.DataFrame(features.astype(float)).drop(columns=300).corrwith(values.rank())
    assert np.delete(found, 300) == pytest.approx(expected.to_numpy(), abs=1e-12)
    assert np.isnan(found[300])
    assert np.isnan(exposures(values * 0, features)).all()
