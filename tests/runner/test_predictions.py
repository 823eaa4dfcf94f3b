"""Which predictions of a model are accepted, and why others are refused."""

import numpy as np
import pandas as pd
import pytest


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def altered(alter):
    """A model whose valid predictions are altered; loading it needs nothing of the test module."""
    return lambda live_features: alter(ranks(live_features))


def setting(value, rows):
    def alter(frame):
        frame.iloc[:rows, 0] = value
        return frame

    return altered(alter)


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(lambda f: f.rename(columns={"prediction": "probability"}), id="probability"),
        pytest.param(lambda f: f.rename(columns={"prediction": 0}), id="one column of any name"),
        pytest.param(lambda f: f.sample(frac=1, random_state=3), id="another order"),
        pytest.param(lambda f: f.astype("float32").astype(object), id="objects"),
    ],
)
def test_predictions_in_another_form_are_saved_as_a_submission(run_model, alter, sample):
    run = run_model(altered(alter))
    live = pd.read_parquet(sample / "live.parquet")
    written = run.succeeds()
    assert list(written["id"]) == list(live.index)
    np.testing.assert_allclose(written["prediction"], ranks(live)["prediction"], rtol=1e-6)
    assert all("hosted compute" in warning for warning in run.record["warnings"])


def test_other_columns_are_dropped_with_a_warning(run_model, sample):
    def predict(live_features):
        return ranks(live_features).assign(first=1.0, second="text")[
            ["first", "prediction", "second"]
        ]

    run = run_model(predict)
    assert run.succeeds()["prediction"].nunique() == 200
    warning, hosted = run.record["warnings"]
    assert hosted.startswith("hosted compute would refuse this: 2 other column")
    assert "2 other column" in warning
    assert "prediction" in warning
    assert any("warning" in line and warning in line for line in run.lines)


def test_rows_that_are_not_live_are_dropped_with_a_warning(run_model):
    def predict(live_features):
        frame = ranks(live_features)
        foreign = pd.DataFrame({"prediction": [7.0, np.nan]}, index=["foreign", "alien"])
        return pd.concat([foreign, frame])

    run = run_model(predict)
    assert len(run.succeeds()) == 200
    warning, *hosted = run.record["warnings"]
    assert len(hosted) == len(run.record["hosted"]["reasons"])
    assert "2 row" in warning
    assert "foreign, alien" in warning


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        pytest.param(lambda f: None, ["None instead of a DataFrame", "index="], id="None"),
        pytest.param(lambda f: ranks(f)["prediction"], ["Series instead"], id="Series"),
        pytest.param(lambda f: ranks(f).to_numpy(), ["ndarray instead"], id="array"),
        pytest.param(altered(lambda f: f.iloc[:0]), ["without rows"], id="no rows"),
        pytest.param(lambda f: pd.DataFrame(), ["without rows", "not exactly one"], id="nothing"),
        pytest.param(
            altered(lambda f: f.assign(b=1).rename(columns={"prediction": "a"})),
            ["2 columns (a, b)", "name the column `prediction`"],
            id="two columns",
        ),
        pytest.param(setting(np.nan, 3), ["3 prediction(s) NaN", "fillna"], id="NaN"),
        pytest.param(setting(np.inf, 2), ["2 prediction(s) infinite", "rank"], id="inf"),
        pytest.param(setting(1.2, 1), ["1 prediction(s) outside 0 to 1", "rank"], id="above 1"),
        pytest.param(setting(-0.5, 7), ["7 prediction(s) outside 0 to 1"], id="below 0"),
        pytest.param(setting(0.5, 200), ["the same value, 0.5", "untrained"], id="constant"),
        pytest.param(
            altered(lambda f: pd.concat([f, f.iloc[:4]])),
            ["4 live id(s) more than once", "duplicated"],
            id="duplicates",
        ),
        pytest.param(
            altered(lambda f: f.iloc[9:]),
            ["9 of 200 live ids missing", "drop none"],
            id="missing ids",
        ),
        pytest.param(
            altered(lambda f: f.add_prefix("x", axis=0)),
            ["none of the 200 live ids", "keep the index"],
            id="foreign ids alone",
        ),
        pytest.param(
            altered(lambda f: f.reset_index(drop=True)),
            ["none of the 200 live ids", " 0, 1, 2, 3, 4, ...", "keep the index"],
            id="RangeIndex",
        ),
        pytest.param(
            altered(lambda f: f.astype(str)), ["not numbers", "astype(float)"], id="text"
        ),
        pytest.param(
            altered(lambda f: f.rename(index={f.index[0]: None})), ["1 row(s) without an id"],
            id="an id of None",
        ),
    ],
)  # fmt: skip
def test_an_invalid_submission_is_refused_with_the_reason(run_model, predict, words):
    run = run_model(predict).fails_as("invalid_predictions", *words)
    assert run.record["model"]["arity"] == 1
    assert run.record["seconds"]["predict"] is not None


def test_all_broken_rules_are_reported_at_once(run_model):
    def predict(live_features):
        frame = ranks(live_features)
        frame.iloc[0, 0] = np.nan
        frame.iloc[1, 0] = -np.inf
        frame.iloc[2, 0] = 1.5
        return pd.concat([frame.iloc[:-6], frame.iloc[3:6]])

    run = run_model(predict)
    run.fails_as(
        "invalid_predictions",
        "5 problems",
        "6 of 200 live ids missing",
        "3 live id(s) more than once",
        "1 prediction(s) NaN",
        "1 prediction(s) infinite",
        "1 prediction(s) outside 0 to 1",
        "fillna",
        "rank",
        "duplicated",
    )
    assert all(line in run.text for line in run.record["message"].splitlines())


def test_at_most_five_offending_ids_are_shown(run_model, sample):
    ids = pd.read_parquet(sample / "live.parquet", columns=[]).index
    message = run_model(setting(np.nan, 6)).fails_as("invalid_predictions").record["message"]
    assert all(live_id in message for live_id in ids[:5])
    assert ids[5] not in message
    assert ", ..." in message
