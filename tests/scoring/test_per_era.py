"""Each era is scored separately, with the same results as numerai-tools."""

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import correlation_contribution, feature_neutral_corr, numerai_corr

from numerai_predict.scoring.per_era import era_scores

ROWS = 60


@pytest.fixture
def data():
    """Three eras of random predictions, targets, meta model, benchmark and features."""
    random = np.random.default_rng(11)
    names = ["0001", "0002", "0010"]
    ids = pd.Index([f"n{value:04x}" for value in random.permutation(3 * ROWS)], name="id")
    frame = pd.DataFrame(random.random((3 * ROWS, 3)), ids, ["prediction", "meta", "benchmark"])
    frame["target"] = random.integers(0, 5, 3 * ROWS) / 4
    frame["era"] = np.repeat(names, ROWS)
    for number in range(4):
        frame[f"feature_{number}"] = random.integers(0, 5, 3 * ROWS).astype(np.int8)
    return frame


def scores(data, **more):
    return era_scores(data["prediction"], data["target"], data["era"], **more)


def all_scores(data):
    features = data[[name for name in data if name.startswith("feature_")]]
    return scores(data, meta_model=data["meta"], benchmark=data["benchmark"], neutralizers=features)


def test_the_scores_of_an_era_are_those_of_numerai_tools_on_its_rows(data):
    found = all_scores(data)
    for era, rows in data.sort_index().groupby("era"):
        frame, target = rows[["prediction"]], rows["target"]
        features = rows.filter(like="feature_")
        expected = [
            numerai_corr(frame, target),
            correlation_contribution(frame, rows["meta"], target),
            correlation_contribution(frame, rows["benchmark"], target),
            feature_neutral_corr(frame, features, target),
        ]
        assert found.loc[era].tolist() == [float(each["prediction"]) for each in expected]


def test_only_scores_that_can_be_computed_have_a_column(data):
    assert list(scores(data).columns) == ["corr"]
    assert list(scores(data, benchmark=data["benchmark"]).columns) == ["corr", "bmc"]
    assert list(all_scores(data).columns) == ["corr", "mmc", "bmc", "fnc"]


def test_the_order_of_rows_changes_nothing_and_eras_come_in_time(data):
    shuffled = data.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(all_scores(shuffled), all_scores(data))
    assert list(all_scores(shuffled).index) == ["0001", "0002", "0010"]


def test_the_predictions_select_the_rows(data):
    some = data[data["era"] != "0002"]
    found = era_scores(some["prediction"], data["target"][::-1], data["era"])
    pd.testing.assert_frame_equal(found, scores(data).drop("0002"))


def test_rows_without_a_target_are_left_out_and_so_are_eras_without_any(data):
    gaps = data.copy()
    gaps.loc[gaps["era"] == "0002", "target"] = np.nan
    dropped = gaps.index[gaps["era"] == "0001"][:7]
    gaps.loc[dropped, "target"] = np.nan
    assert list(scores(gaps).index) == ["0001", "0010"]
    pd.testing.assert_frame_equal(scores(gaps), scores(data.drop(dropped)).drop("0002"))


def test_an_era_without_meta_model_has_no_mmc(data):
    known = data.loc[data["era"] != "0001", "meta"]
    found = scores(data, meta_model=known)
    assert found["mmc"].isna().tolist() == [True, False, False]
    assert found["corr"].notna().all()


@pytest.mark.parametrize(("missing", "scored"), [(12, True), (13, False)])
def test_four_fifths_of_an_era_must_be_in_the_compared_predictions(data, missing, scored):
    meta = data["meta"].copy()
    meta.iloc[:missing] = np.nan
    assert bool(scores(data, meta_model=meta)["mmc"].notna()["0001"]) is scored


@pytest.mark.parametrize("column", ["prediction", "target", "meta", "benchmark"])
def test_constant_values_give_no_score_instead_of_a_failure(data, column):
    data.loc[data["era"] == "0002", column] = 0.5
    names = {"meta": ["mmc"], "benchmark": ["bmc"]}.get(column, ["corr", "mmc", "bmc", "fnc"])
    found = all_scores(data)
    assert found.loc["0002"].isna().to_dict() == {name: name in names for name in found}
    assert found.drop("0002").notna().all(axis=None)


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_an_era_of_too_few_rows_has_no_score(data, rows):
    few = pd.concat([data[data["era"] == "0001"].head(rows), data[data["era"] != "0001"]])
    found = all_scores(few)
    assert found.loc["0001"].isna().all()
    assert found.drop("0001").notna().all(axis=None)


def test_no_targets_give_no_rows(data):
    found = scores(data.assign(target=np.nan), meta_model=data["meta"])
    assert (list(found.columns), len(found)) == (["corr", "mmc"], 0)


def test_a_missing_prediction_is_an_error(data):
    data.iloc[5, data.columns.get_loc("prediction")] = np.nan
    with pytest.raises(ValueError, match="found 1 without a prediction"):
        scores(data)
    with pytest.raises(ValueError, match="more than once"):
        scores(pd.concat([data, data.head(1)]).fillna(0.5))


def test_as_many_features_as_rows_give_no_fnc(data):
    random = np.random.default_rng(2)
    wide = pd.DataFrame(random.integers(0, 5, (3 * ROWS, ROWS)), data.index).astype(np.int8)
    found = scores(data, neutralizers=wide)
    assert found["fnc"].isna().all()
    assert found["corr"].notna().all()


def test_predictions_that_the_features_explain_have_no_fnc(data):
    """What is left of them are rounding errors."""
    halves = (np.arange(3 * ROWS) % 2).astype(np.int8)
    explained = data.assign(prediction=0.25 + halves / 2)
    features = pd.DataFrame({"same": halves, "other": data["feature_0"]}, data.index)
    found = scores(explained, neutralizers=features)
    assert found["fnc"].isna().all()
    assert found["corr"].notna().all()
    assert scores(data, neutralizers=features)["fnc"].notna().all()
