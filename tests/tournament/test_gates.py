"""Each gate blocks for its own reason, and the error has the reasons of all."""

import re

import numpy as np
import pandas as pd
import pytest

from numerai_predict.contract.tournament_errors import GateClosed
from numerai_predict.tournament.gate_limits import GateLimits, format_figures, parse_exposure_limits
from numerai_predict.tournament.gates import check_gates, expected_columns

LIMITS = GateLimits(max_abs_exposure=0.45)  # 200 rows correlate by chance


@pytest.fixture
def live(sample):
    return sample / "live.parquet"


@pytest.fixture
def good(live):
    """Predictions that pass: a mean of many features."""
    frame = pd.read_parquet(live)
    features = frame.filter(like="feature_").astype(float)
    return features.mean(axis=1).rank(pct=True).rename("prediction")


@pytest.fixture
def check(tmp_path, live, sample):
    def check_predictions(predictions, named=(), **limits):
        path = tmp_path / "predictions.csv"
        if isinstance(predictions, str):
            path.write_text(predictions)
        else:
            predictions.to_csv(path)
        expected = expected_columns(named, sample / "features.json")
        limits = {"max_abs_exposure": 0.45, **limits}  # 200 rows correlate by chance
        figures = check_gates(path, live, expected, GateLimits(**limits))
        return {name: figure.value for name, figure in figures.items()}

    return check_predictions


def closes(check, predictions, *reasons, **more):
    with pytest.raises(GateClosed) as closed:
        check(predictions, **more)
    assert closed.value.message.startswith("DRIFT_GUARD_ABORT")
    assert closed.value.message.count("\n") == len(reasons), closed.value.message
    for reason in reasons:
        assert f"  - {reason}" in closed.value.message
    assert closed.value.verdict.exit_code == 80


def test_good_predictions_pass_with_their_figures(check, good):
    figures = check(good)
    assert figures.keys() == {"std", "tied", "coverage", "exposure"}
    assert figures["coverage"] == 1


FORMS = {
    "a quoted header": lambda text: text.replace("id,prediction", '"id","prediction"').encode(),
    "quoted fields": lambda text: re.sub(r"[^,\n]+", r'"\g<0>"', text).encode(),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "a mark and a quoted header": lambda text: b'\xef\xbb\xbf"id",prediction' + text[13:].encode(),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "probability": lambda text: text.replace("prediction", "probability").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_csv_that_other_programs_write_passes(tmp_path, live, sample, good, form):
    path = tmp_path / "predictions.csv"
    path.write_bytes(FORMS[form](good.to_csv()))
    figures = check_gates(path, live, expected_columns((), sample / "features.json"), LIMITS)
    assert figures["coverage"].value == 1


@pytest.mark.parametrize(
    "header",
    ["id,target", "prediction,id", "ID,prediction", "id,prediction,x", "id", "id;prediction"],
)
def test_a_csv_of_other_columns_is_refused_as_the_tournament_would(check, good, header):
    text = good.to_csv().replace("id,prediction", header, 1)
    with pytest.raises(GateClosed, match=r"columns: |no CSV that can be read"):
        check(text)


def test_the_defaults_are_those_of_the_issue():
    assert vars(GateLimits()) == {
        "min_pred_std": 1e-6,
        "max_abs_exposure": 0.30,
        "min_coverage": 1.0,
        "max_tied_share": 0.9,
        "exposure_by_model": {},
    }


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("0.3", (0.3, {})),
        ("0.4, my_model=0.5,other = 0.1", (0.4, {"my_model": 0.5, "other": 0.1})),
        ("my_model=0.5", (GateLimits.max_abs_exposure, {"my_model": 0.5})),
    ],
)
def test_single_models_may_have_a_limit_of_their_own(text, limits):
    default, by_model = parse_exposure_limits(text)
    assert (default, by_model) == limits
    gates = GateLimits(max_abs_exposure=default, exposure_by_model=by_model)
    assert gates.of_model("my_model").max_abs_exposure == by_model.get("my_model", default)
    assert gates.of_model("unknown").max_abs_exposure == default


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "nan", "abc", "my_model=", "=0.5", "a=b=c", "0.3,"]
)
def test_senseless_limits_are_refused(text):
    with pytest.raises(ValueError, match=r"expected limits|could not convert"):
        parse_exposure_limits(text)


def test_nan_is_reported_with_its_ids(check, good):
    good.iloc[:2] = np.nan
    closes(check, good, f"NaN: 2 of 200 predictions, such as {good.index[0]}", "coverage: 99.00%")


def test_text_that_is_not_a_number_counts_as_nan(check, good):
    text = good.astype(object)
    text.iloc[0] = "high"
    closes(check, text, "NaN: 1 of 200", "coverage: 99.50%")


def test_infinity(check, good):
    good.iloc[5] = -np.inf
    closes(check, good, "infinity: 1 predictions")


def test_too_flat(check, good):
    closes(
        check,
        good * 0 + 0.5,
        "too flat: standard deviation 0 of the ranks below 1e-06",
        "too flat: 100.0% of the predictions are 0.5, expected at most 90.0% equal ones",
    )


def test_the_scale_of_the_predictions_does_not_matter(check, good):
    assert check(0.5 + good * 1e-7)["std"] == pytest.approx(check(good)["std"])


def test_too_many_equal_predictions(check, good):
    good.iloc[:190] = 0.5
    closes(check, good, "too flat: 95.0% of the predictions are 0.5", max_abs_exposure=1)
    assert check(good, max_tied_share=0.96, max_abs_exposure=1)["tied"] == 0.95


def test_one_outlier_does_not_hide_a_bet_on_one_feature(check, live):
    values = pd.read_parquet(live)["feature_sample_0004"].rank(pct=True).rename("prediction")
    values = values * 1e-4
    values[values.idxmin()] = 1.0
    closes(check, values, "exposure: 0.9")


def test_noise_on_few_rows_is_not_an_exposure(tmp_path, live, sample):
    frame = pd.read_parquet(live).head(40)
    frame.to_parquet(tmp_path / "live.parquet")
    random = np.random.default_rng(3)
    values = pd.Series(random.permutation(40) / 40, frame.index, name="prediction")
    values.to_csv(tmp_path / "predictions.csv")
    figures = check_gates(
        tmp_path / "predictions.csv",
        tmp_path / "live.parquet",
        expected_columns((), sample / "features.json"),
        GateLimits(),
    )
    exposure = figures["exposure"]
    assert 0.30 < exposure.value <= exposure.limit
    assert format_figures(figures).startswith("std 0.29")
    assert " of at least 1e-06, tied 0.025 of at most 0.9, coverage 1 of at least 1" in (
        format_figures(figures)
    )
    assert format_figures(figures).endswith(f" of at most {exposure.limit:.4g}")


def test_exposure_to_one_feature(check, live):
    values = pd.read_parquet(live)["feature_sample_0004"].rank(pct=True)
    closes(check, values.rename("prediction"), "exposure: 1.000 to feature_sample_0004, above 0.45")


def test_live_columns_that_are_missing(check, good):
    named = ["feature_sample_0001", "feature_of_tomorrow"]
    closes(check, good, "live columns: 1 of 63 missing, such as feature_of_tomorrow", named=named)


def test_coverage_of_missing_and_repeated_ids(check, good):
    closes(check, good.iloc[:-3], "coverage: 98.50% of the live ids")
    closes(check, pd.concat([good, good.iloc[:1]]), "coverage: 100.00%")
    assert check(good.iloc[:-3], min_coverage=0.9)["coverage"] == 0.985


def test_all_reasons_come_at_once(check, live):
    values = pd.read_parquet(live)["feature_sample_0004"].astype(float).rename("prediction")
    values.iloc[0], values.iloc[1] = np.nan, np.inf
    closes(check, values, "NaN", "infinity", "range", "coverage", "exposure")


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "id\nx\n", "prediction,id\n0.5,x\n"])
def test_a_file_that_is_not_a_submission_is_blocked(check, text):
    with pytest.raises(GateClosed, match="DRIFT_GUARD_ABORT"):
        check(text)


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_predictions_of_another_round_are_named_whatever_the_limit_is(check, good, limit):
    ids = pd.Index([f"other{number}" for number in range(len(good))], name="id")
    others = good.set_axis(ids)
    with pytest.raises(GateClosed) as closed:
        check(others, min_coverage=limit)
    said = "round: none of the 200 live ids of this round has a prediction"
    assert said in closed.value.message
    assert "with ids such as other0, other1" in closed.value.message
