"""`max_exposure`: no feature's correlation with the predictions is above the limit."""

import numpy as np
import pytest

from numerai_predict.cli.commands.train import blocking_gates
from numerai_predict.scoring.exposures import Exposure
from numerai_predict.tournament.gate_limits import GateLimits
from numerai_predict.training.blending.transform import NO_TRANSFORM
from numerai_predict.training.bundle_verification import Trial
from numerai_predict.training.predict_template import (
    limit_exposure,
    predictions_by_era,
    rank_in_unit_interval,
)


@pytest.fixture
def era():
    """Features, and predictions that depend on four of them."""
    random = np.random.default_rng(5)
    features = random.integers(0, 5, (600, 40)).astype(np.int8)
    signal = features[:, :4] @ np.array([3.0, 2.0, 1.0, -2.0]) + random.normal(0, 2, 600)
    return features, rank_in_unit_interval(signal)


def largest(values, features):
    return max(abs(np.corrcoef(values, column)[0, 1]) for column in features.T)


@pytest.mark.parametrize("limit", [0.3, 0.1, 0.05])
def test_no_correlation_is_above_the_limit_and_the_order_is_kept_as_far_as_possible(era, limit):
    features, values = era
    assert largest(values, features) > 0.5
    limited = limit_exposure(values, features, limit)
    assert largest(limited, features) <= limit
    assert 0 < limited.min() < limited.max() < 1
    assert np.corrcoef(limited, values)[0, 1] > 0.3


def test_predictions_within_the_limit_stay_as_they_are(era):
    features, values = era
    assert (limit_exposure(values, features, 1.0) == values).all()
    assert limit_exposure(values, features, None) is values


def test_the_type_of_the_features_changes_no_bit(era):
    features, values = era
    first = limit_exposure(values, features, 0.1)
    for kind in (np.float32, np.float64, np.int64):
        assert (limit_exposure(values, features.astype(kind), 0.1) == first).all()


def test_constant_features_and_short_eras_are_no_reason_to_fail(era):
    features, values = era
    features[:, 7] = 2
    assert largest(limit_exposure(values, np.delete(features, 7, 1), 0.2), features[:, :7]) <= 0.2
    assert np.isfinite(limit_exposure(values, features, 0.2)).all()
    assert limit_exposure(values[:2], features[:2], 0.2).tolist() == values[:2].tolist()


def test_each_era_is_limited_by_itself(era):
    features, values = era
    eras = np.arange(600) % 2
    spec = {"neutralize": 0.0, "blend": NO_TRANSFORM.as_spec(), "max_exposure": 0.2}
    limited = predictions_by_era(eras, [values], None, features[:, :0], features, spec)
    for number in (0, 1):
        rows = eras == number
        assert largest(limited[rows], features[rows]) <= 0.2


def test_the_warnings_name_the_feature_and_the_setting():
    trial = Trial(spread=1e-9, exposure=Exposure("feature_a", 0.42, 0.42), exposure_by_chance=0.1)
    exposure, spread = blocking_gates(trial, GateLimits())
    assert "feature_a is 0.420" in exposure
    assert "max_exposure: 0.3" in exposure
    assert "MIN_PRED_STD" in spread
    assert blocking_gates(Trial(0.28, Exposure("feature_a", 0.29, 0.29), 0.1), GateLimits()) == []
    assert blocking_gates(Trial(0.28, Exposure("feature_a", 0.42, 0.42), 0.5), GateLimits()) == []
