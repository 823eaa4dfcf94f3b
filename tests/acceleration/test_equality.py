"""The engine's predictions are those of the library, bit for bit."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from acceleration.conftest import original
from acceleration.random_models import CASES, Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numerai_predict.acceleration import predict
from numerai_predict.acceleration.accelerator import Accelerator
from numerai_predict.acceleration.usage import Used

pytestmark = pytest.mark.filterwarnings("ignore")


# The least share that the engine predicts: it leaves other kinds of trees and objectives.
_BY_ENGINE = {"lightgbm": 0.9, "xgboost": 0.4, "catboost": 0.4}


def _same(found: Any, expected: Any) -> bool:
    return (
        found.dtype == expected.dtype
        and found.shape == expected.shape
        and found.tobytes() == expected.tobytes()
    )


def _case(library: str, seed: int) -> Case | None:
    try:
        return CASES[library](seed)
    except Exception:  # a combination that the library refuses to train
        return None


@pytest.mark.parametrize("library", CASES)
def test_random_models_are_predicted_bit_for_bit_and_nearly_all_by_the_engine(
    accelerator: Accelerator, library: str
) -> None:
    engine = 0
    cases = [case for seed in range(1000, 1016) if (case := _case(library, seed))]
    for case in cases:
        expected = original(case.model, case.data, **case.arguments)
        accelerator.usage.used = None
        found = case.model.predict(case.data, **case.arguments)
        assert _same(found, expected), case.description
        assert accelerator.usage.used is not None
        engine += accelerator.usage.used is Used.ENGINE
    assert engine >= _BY_ENGINE[library] * len(cases) > 4, accelerator.usage.reasons


@given(seed=st.integers(2_000, 2**31), library=st.sampled_from(sorted(CASES)))
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_model_is_predicted_otherwise_than_by_its_library(
    accelerator: Accelerator, seed: int, library: str
) -> None:
    case = _case(library, seed)
    if case is not None:
        expected = original(case.model, case.data, **case.arguments)
        found = case.model.predict(case.data, **case.arguments)
        assert _same(found, expected), case.description


@pytest.fixture(scope="module")
def booster() -> Any:
    """A LightGBM model of 40 trees on 20 features of five values."""
    import lightgbm

    random = np.random.default_rng(0)
    x = random.integers(0, 5, (500, 20)).astype(np.int8)
    return lightgbm.train(
        {"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(x, random.random(500)), 40
    )


@pytest.fixture(scope="module")
def live() -> pd.DataFrame:
    """2,000 rows for it."""
    values = np.random.default_rng(1).integers(0, 5, (2_000, 20)).astype(np.int8)
    return pd.DataFrame(values, columns=[f"feature_{i}" for i in range(20)])


def test_every_layout_of_the_input_gives_the_same(
    accelerator: Accelerator, booster: Any, live: pd.DataFrame
) -> None:
    expected = original(booster, live)
    values = live.to_numpy()
    wide = np.zeros((2_000, 41), np.float32)
    wide[:, 1::2] = values
    for data in (
        live,
        values,
        np.asfortranarray(values),
        values.astype(np.float32),
        np.asfortranarray(values.astype(np.float64)),
        values.astype(np.int64),
        wide[:, 1::2],
        values[::-1][::-1],
        live.astype({"feature_3": np.float32}),
        live.astype(np.int16),
    ):
        assert _same(booster.predict(data), expected)
    assert accelerator.usage.used is Used.ENGINE, accelerator.usage.reasons


def test_an_unpickled_booster_and_a_scikit_learn_model_are_accelerated_too(
    accelerator: Accelerator, booster: Any, live: pd.DataFrame
) -> None:
    from lightgbm import LGBMRegressor

    loaded = pickle.loads(pickle.dumps(booster))
    assert _same(loaded.predict(live), original(booster, live))
    assert accelerator.usage.used is Used.ENGINE
    model = LGBMRegressor(n_estimators=30, verbosity=-1, n_jobs=1)
    model.fit(live, live["feature_0"] + live["feature_1"])
    expected = original(model.booster_, live)
    accelerator.usage.used = None
    assert _same(model.predict(live), expected)
    assert accelerator.usage.used is Used.ENGINE, accelerator.usage.reasons


def test_a_changed_booster_is_read_again(
    accelerator: Accelerator, booster: Any, live: pd.DataFrame
) -> None:
    loaded = pickle.loads(pickle.dumps(booster))
    before = loaded.predict(live)
    loaded.set_leaf_output(0, 0, 17.0)
    after = loaded.predict(live)
    assert _same(after, original(loaded, live))
    assert not np.array_equal(before, after)


def test_predict_by_hand_gives_what_the_library_gives(booster: Any, live: pd.DataFrame) -> None:
    assert _same(predict(booster, live), original(booster, live))
    with pytest.raises(TypeError, match="expected a model of a known tree library, found dict"):
        predict({}, live)
