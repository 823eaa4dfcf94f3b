"""Exposures are those of numerai-tools."""

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import max_feature_correlation

from numerai_predict.scoring.exposures import exposures, largest_exposure


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
    whole = max_feature_correlation(pd.Series(values), pd.DataFrame(features, columns=names))
    assert (found.feature, found.correlation) == pytest.approx(whole)
    assert found.feature == "feature_411"


def test_a_negative_correlation_counts_as_much(features, names):
    found = largest_exposure(pd.Series(-features[:, 7].astype(float)), features, names)
    assert (found.feature, round(found.correlation, 9)) == ("feature_7", 1.0)


def test_a_constant_feature_has_no_exposure_and_neither_have_constant_predictions(features, names):
    features[:, 0] = 2
    values = pd.Series(np.arange(500.0))
    assert largest_exposure(values, features[:, :1], names[:1]) is None
    assert largest_exposure(values * 0, features, names) is None
    assert largest_exposure(values, features[:, :2], names[:2]).feature == "feature_1"


def test_the_exposures_to_all_features_are_their_pearson_correlations(features):
    features[:, 300] = 3
    values = pd.Series(np.random.default_rng(6).normal(size=500) + features[:, 5])
    found = exposures(values, features)
    expected = pd.DataFrame(features.astype(float)).drop(columns=300).corrwith(values)
    assert np.delete(found, 300) == pytest.approx(expected.to_numpy(), abs=1e-12)
    assert np.isnan(found[300])
    assert np.isnan(exposures(values * 0, features)).all()
