"""The function in a bundle: rows without an era, and values that no model was trained on."""

import warnings

import numpy as np
import pandas as pd
import pytest

from numerai_predict.training.blending.transform import NO_TRANSFORM
from numerai_predict.training.predict_template import (
    loader_of,
    predictions_by_era,
    rows_by_era,
    warn_of_unknown_values,
)

pytestmark = pytest.mark.unit

NAMES = ["feature_a", "feature_b"]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_rows_without_an_era_are_predicted_as_one_era(missing):
    eras = pd.Series(["0001", missing, "0001", missing, missing], dtype=object)
    assert sorted(rows.tolist() for rows in rows_by_era(eras)) == [[0, 2], [1, 3, 4]]
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    spec = {"neutralize": 0.0, "blend": NO_TRANSFORM.as_spec(), "max_exposure": None}
    features = np.zeros((5, 2), np.int8)
    found = predictions_by_era(eras, [values], None, features[:, :0], features, spec)
    assert found.tolist() == [0.25, 1 / 6, 0.75, 0.5, 5 / 6]


@pytest.mark.parametrize("eras", [["X"] * 3, [1, 1, 2], np.zeros(3), pd.Categorical(["X"] * 3)])
def test_every_row_belongs_to_exactly_one_era(eras):
    rows = np.concatenate(rows_by_era(eras))
    assert sorted(rows.tolist()) == [0, 1, 2]


def test_usual_features_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in (np.int8, np.float32, np.float64):
            warn_of_unknown_values(NAMES, np.array([[0, 4], [2, 1]], kind))
        warn_of_unknown_values(NAMES, np.zeros((0, 2), np.int8))
        warn_of_unknown_values(NAMES, np.array([[0, pd.NA]], object))


@pytest.mark.parametrize("value", [5, -1, 0.5 + 4, np.nan, np.inf, -np.inf])
def test_values_that_no_model_was_trained_on_are_named(value):
    features = np.array([[0, 4], [2, value], [1, value]], float)
    with pytest.warns(UserWarning, match="found 2 other values, such as .* in feature_b"):
        warn_of_unknown_values(NAMES, features)


def test_a_kind_without_a_loader_is_named():
    with pytest.raises(ValueError, match="expected lightgbm, xgboost or catboost, found 'x'"):
        loader_of("x")
