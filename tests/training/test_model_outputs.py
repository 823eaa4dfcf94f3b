"""Outputs of trained models come from the tree engine, and are those of the library."""

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost

from numerai_predict import acceleration
from numerai_predict.acceleration.interception import shared_accelerator
from numerai_predict.training import model_outputs
from numerai_predict.training.predict_template import load_model, predict_with

KINDS = ("lightgbm", "xgboost", "catboost")


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(2).integers(0, 5, (9000, 12)).astype(np.int8)


@pytest.fixture(scope="module")
def bodies(features, tmp_path_factory):
    """A stored model of each kind, of 60 trees."""
    rows = features[:1500].astype(np.float32)
    target = rows[:, 0] * rows[:, 1] - rows[:, 2]
    data = lightgbm.Dataset(rows, target, params={"verbose": -1})
    light = lightgbm.train({"verbose": -1, "num_leaves": 31}, data, 60)
    extreme = xgboost.train({"max_depth": 5}, xgboost.DMatrix(rows, target), 60)
    cat = catboost.CatBoostRegressor(
        iterations=60, depth=6, verbose=0, allow_writing_files=False, thread_count=1
    ).fit(rows, target)
    path = tmp_path_factory.mktemp("catboost") / "model.cbm"
    cat.save_model(str(path))
    return {
        "lightgbm": light.model_to_string().encode(),
        "xgboost": bytes(extreme.save_raw("ubj")),
        "catboost": path.read_bytes(),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [9000, 8192, 1, 0])
def test_the_outputs_are_those_of_the_library_bit_for_bit(bodies, features, kind, rows):
    library = predict_with(load_model(kind, bodies[kind]), features[:rows])
    outputs = model_outputs.output_function(kind, bodies[kind], {})(features[:rows])
    assert outputs.dtype == np.float64
    assert outputs.tobytes() == library.tobytes()


def test_the_engine_predicts_unless_the_variable_turns_it_off(bodies, features, monkeypatch):
    calls = []
    predict = acceleration.predict

    def counting(booster, frame):
        calls.append(len(frame))
        return predict(booster, frame)

    monkeypatch.setattr(acceleration, "predict", counting)
    off = {"NUMERAI_ACCELERATION": "0"}
    model_outputs.output_function("lightgbm", bodies["lightgbm"], off)(features)
    assert calls == []
    model_outputs.output_function("lightgbm", bodies["lightgbm"], {})(features)
    assert calls == [8192, 808]
    engine = "lightgbm: engine, 60 trees, 256 rows equal to the library's"
    assert engine in shared_accelerator().usage.reasons
