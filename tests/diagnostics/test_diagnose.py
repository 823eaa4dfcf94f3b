"""`numerai-predict diagnose`: an isolated model over past eras, and correct numbers."""

import json
import socket
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from feature_models import by_feature
from numerai_tools.scoring import correlation_contribution, feature_neutral_corr, numerai_corr

ROOT = Path(__file__).parents[2]
# An era a batch, as if the model had next to no memory; no batch may outlive the next's reading.
SMALL_BATCHES = """
import sys, weakref
from numerai_predict.diagnostics import config
from numerai_predict.cli.main import main
from numerai_predict.diagnostics.validation_data import ValidationData

config._BATCH_SHARE = 10**7
read, batches = ValidationData._read, []

def watched(self, eras):
    assert len(eras) == 1
    assert not any(batch() is not None for batch in batches), "two batches in memory"
    batch = read(self, eras)
    batches.append(weakref.ref(batch[0].features.base))
    return batch

ValidationData._read = watched
code = main()
assert len(batches) > 1
sys.exit(code)
"""


def careful(live_features, live_benchmark_models):
    """A model that ranks within its frame, and checks the frame."""
    assert (live_features["era"] == "X").all(), "an era by its number"
    assert (live_features["data_type"] == "live").all(), "data of another kind"
    targets = live_features.filter(like="target")
    assert targets.shape[1] == 3, "targets missing"
    assert targets.isna().all(axis=None), "a target that is known"
    assert len(live_features) == 90, "more than an era"
    assert live_features.index.equals(live_benchmark_models.index), "benchmarks of other ids"
    features = live_features.filter(like="feature_")
    assert set(map(str, features.dtypes)) == {"int8"}, "features of another type"
    blend = features.iloc[:, :12].mean(axis=1).rank() + live_benchmark_models.iloc[:, 1].rank()
    return blend.rank(pct=True).to_frame("prediction")


def predictions_of(path):
    """The model's predictions era by era, computed in this process; with the data."""
    frame = pd.read_parquet(path / "validation.parquet")
    benchmarks = pd.read_parquet(path / "validation_benchmark_models.parquet")
    for era, rows in frame.groupby("era"):
        live = rows.assign(era="X", data_type="live")
        live[live.filter(like="target").columns] = np.nan
        known = benchmarks.loc[rows.index]
        yield era, rows, known, careful(live, known)


@pytest.fixture(scope="module")
def expected(past):
    """Each era's scores, straight from numerai-tools."""
    meta_model = pd.read_parquet(past / "meta_model.parquet")["numerai_meta_model"]
    found = {}
    for era, rows, benchmarks, predictions in predictions_of(past):
        rows = rows.sort_index()
        predictions, target = predictions.sort_index(), rows["target"].astype(float)
        small = rows.filter(like="feature_").iloc[:, :42]
        known = meta_model.loc[rows.index], benchmarks.iloc[:, 0].loc[rows.index]
        scores = [
            numerai_corr(predictions, target),
            *(correlation_contribution(predictions, each, target) for each in known),
            feature_neutral_corr(predictions, small, target),
        ]
        found[era] = [float(score["prediction"]) for score in scores]
    return pd.DataFrame(found, ["corr", "mmc", "bmc", "fnc"]).T


def test_the_scores_are_those_of_numerai_tools_on_the_same_predictions(diagnose, expected, past):
    done = diagnose(careful).succeeds()
    pd.testing.assert_frame_equal(
        done.eras[list(expected)], expected, check_names=False, rtol=0, atol=1e-12
    )
    for score, each in done.numbers["summary"].items():
        assert each["mean"] == pytest.approx(expected[score].mean())
        assert each["sharpe"] == pytest.approx(expected[score].mean() / expected[score].std(ddof=0))
        assert each["eras"] == 5
    others = {each["name"]: each["mean"] for each in done.numbers["correlations"]}
    spearman = [
        predictions["prediction"].corr(benchmarks["v52_lgbm_ender60"], method="spearman")
        for _, _, benchmarks, predictions in predictions_of(past)
    ]
    assert others["v52_lgbm_ender60"] == pytest.approx(np.mean(spearman))
    assert done.numbers["model"]["arguments"] == 2
    assert done.numbers["run"]["repeatable"] is True
    assert "CORR" in done.stdout
    assert str(done.folder / "diagnose.html") in done.stderr.splitlines()[-1]


def test_the_exposures_are_those_of_each_eras_ranked_predictions(diagnose, past):
    done = diagnose(careful).succeeds()
    each = [
        rows.filter(like="feature_").astype(float).corrwith(predictions["prediction"].rank())
        for _, rows, _, predictions in predictions_of(past)
    ]
    exposures = pd.concat(each, axis=1)
    absolute = exposures.abs()
    first = done.numbers["exposure"]["largest"][0]
    worst = exposures.loc[absolute.mean(axis=1).idxmax()]
    assert first == {
        "name": worst.name,
        "mean": pytest.approx(worst.mean(), abs=1e-6),
        "std": pytest.approx(worst.std(ddof=0), abs=1e-6),
        "mean_absolute": pytest.approx(worst.abs().mean(), abs=1e-6),
        "largest": pytest.approx(worst.abs().max(), abs=1e-6),
        "sign_changes": int((np.sign(worst).diff().iloc[1:] != 0).sum()),
        "eras": 5,
    }
    sets = {each["name"]: each for each in done.numbers["exposure"]["groups"]}
    assert sets["all"]["mean"] == pytest.approx(absolute.mean().mean(), abs=1e-6)
    assert sets["all"]["largest"] == pytest.approx(absolute.max().max(), abs=1e-6)
    assert sets["small"]["features"] == 42
    assert done.eras["max_exposure"].tolist() == pytest.approx(
        [one.abs().max() for one in each], abs=1e-6
    )


def test_the_batches_change_nothing_and_the_same_input_gives_the_same_page(diagnose, tmp_path):
    whole = diagnose(careful).succeeds()
    batches = diagnose(careful, program=SMALL_BATCHES, folder=tmp_path / "batches").succeeds()
    assert batches.page == whole.page
    content, again = whole.numbers, batches.numbers
    del content["run"], again["run"]
    assert content == again


def test_noise_has_no_score_and_is_reported_as_not_repeatable(diagnose):
    def dice(live_features):
        return pd.DataFrame({"prediction": np.random.rand(len(live_features))}, live_features.index)

    done = diagnose(dice, "--json").succeeds()
    assert json.loads(done.stdout) == done.numbers
    for score in ("corr", "mmc", "bmc", "fnc"):
        assert abs(done.numbers["summary"][score]["mean"]) < 4 / np.sqrt(5 * 90)
    assert done.numbers["run"]["repeatable"] is False
    assert "not repeatable" in done.page


def test_a_model_that_fails_in_a_later_era_fails_the_diagnosis_with_its_own_verdict(
    diagnose, past, contract
):
    fourth = pd.read_parquet(past / "validation.parquet").index[3 * 90]

    def predict(live_features):
        if fourth in live_features.index:
            raise ValueError("a bad day")
        return live_features.iloc[:, [2]].rank(pct=True)

    done = diagnose(predict, program=SMALL_BATCHES)
    done.fails_as(contract, "model_error", "era 0006", "a bad day")


def test_the_error_for_missing_rows_names_the_era_and_the_count(diagnose, contract):
    def predict(live_features):
        return live_features.iloc[3:, [2]].rank(pct=True)

    done = diagnose(predict)
    done.fails_as(contract, "invalid_predictions", "era 0003", "3 of 90 live ids missing")


def test_a_model_reaches_no_network(diagnose, contract):
    def predict(live_features):
        socket.create_connection(("192.0.2.1", 80), timeout=1)

    diagnose(predict).fails_as(contract, "model_error", "192.0.2.1:80", "without network")


def test_a_model_has_the_memory_of_a_round(diagnose, contract):
    def predict(live_features):
        return np.ones(100_000_000).sum()

    diagnose(predict, "--memory", "600m").fails_as(contract, "out_of_memory", "era 0003", "600")


def test_each_era_has_the_time_of_a_round_for_itself(diagnose):
    def predict(live_features):
        import time

        time.sleep(1)
        return live_features.iloc[:, [2]].rank(pct=True)

    diagnose(predict, "--timeout", "5").succeeds()


def test_a_file_that_is_not_a_pickle_is_rejected_before_anything_runs(diagnose, contract):
    diagnose(b"hello").fails_as(contract, "invalid_pickle", "pickle")


def test_a_model_of_another_python_is_rejected_with_a_remedy(diagnose, contract):
    other = next(v for v in ("3.10", "3.12") if v != "{}.{}".format(*sys.version_info))
    path = ROOT / f"tests/models/py{other}/one_argument.pkl"
    diagnose(path).fails_as(contract, "python_mismatch", other)


def test_a_full_disk_leaves_nothing_half_written(diagnose, contract, mounted, tmp_path):
    folder = tmp_path / "full"
    wrapper = mounted(folder, "size=16k")
    done = diagnose(careful, wrapper=wrapper, folder=folder)
    done.fails_as(contract, "save_failed", "No space left", "--output-dir")
    assert (tmp_path / "listing").read_text() == ""


def test_without_benchmarks_and_meta_model_the_page_says_so(diagnose, past, tmp_path, contract):
    data = tmp_path / "bare"
    data.mkdir()
    for name in ("validation.parquet", "features.json"):
        (data / name).symlink_to(past / name)

    def predict(live_features):
        return live_features.iloc[:, [2]].rank(pct=True)

    done = diagnose(predict, "--validation", data).succeeds()
    assert list(done.numbers["summary"]) == ["corr", "fnc"]
    assert "There is no MMC" in done.page
    assert "nothing to compare" in done.page
    done = diagnose(careful, "--validation", data, folder=tmp_path / "two")
    done.fails_as(contract, "dataset_unavailable", "benchmark models of era 0003", "--benchmarks")


def test_models_diagnosed_on_the_same_eras_are_counted(diagnose, tmp_path):
    """The best of several models looks good by chance alone."""

    def first(live_features):
        return live_features.iloc[:, [5]].rank(pct=True).set_axis(["prediction"], axis=1)

    def second(live_features):
        return live_features.iloc[:, [6]].rank(pct=True).set_axis(["prediction"], axis=1)

    for _ in range(2):
        done = diagnose(first).succeeds()
        assert "first look at these eras" in done.stdout
        assert done.numbers["models_shown"] == 1
        assert done.numbers["summary_best_of"] == {}
    done = diagnose(second, "--eras", "0004-", folder=tmp_path / "second").succeeds()
    assert "2 models were scored on some of these eras" in done.stdout
    assert "the best one may be best by chance, and these eras are too few to tell" in done.page
    assert "best of 2" not in done.stdout
    assert done.numbers["models_shown"] == 2
    assert done.numbers["summary_best_of"]["corr"]["eras"] == 4


def test_looks_count_by_what_the_eras_contain_whatever_the_file_and_the_targets_name(
    diagnose, past, tmp_path
):
    """A rewritten file, in another order, with the other name of the main target."""
    rows = pd.read_parquet(past / "validation.parquet")
    other = tmp_path / "rewritten"
    other.mkdir()
    rows.sample(frac=1, random_state=1).to_parquet(other / "validation.parquet", compression="gzip")
    (other / "features.json").write_bytes((past / "features.json").read_bytes())
    diagnose(by_feature(5)).succeeds()
    options = ("--validation", other, "--target", "target_ender_20")
    again = diagnose(by_feature(6), *options, folder=tmp_path / "again").succeeds()
    assert again.numbers["models_shown"] == 2
    long = ("--validation", other, "--target", "target_ender_60")
    other_target = diagnose(by_feature(7), *long, folder=tmp_path / "long").succeeds()
    assert other_target.numbers["models_shown"] == 1


def equal_in(*positions):
    """A model whose predictions are equal in the eras of the first rows' ids."""

    def make(past):
        first = set(pd.read_parquet(past / "validation.parquet").index[[90 * p for p in positions]])

        def predict(live_features):
            found = live_features.filter(like="feature_").iloc[:, [5]].rank(pct=True)
            found.columns = ["prediction"]
            return found * 0 + 0.5 if first & set(live_features.index) else found

        return predict

    return make


def test_eras_of_equal_predictions_have_no_score_and_are_counted(diagnose, past):
    done = diagnose(equal_in(0, 3)(past), program=SMALL_BATCHES).succeeds()
    assert done.numbers["eras_of_equal_predictions"] == 2
    assert done.numbers["summary"]["corr"]["eras"] == 3
    assert done.numbers["summary"]["corr"]["undefined_eras"] == 2
    assert np.isnan(done.eras["corr"].to_numpy()).tolist() == [True, False, False, True, False]
    counted = "n 2 of 5 eras all predictions are equal"
    assert counted in done.stdout
    assert counted in done.page
    assert "2 more eras without a score" in done.stdout
    assert "2 more eras without a score" in done.page


def test_a_model_whose_predictions_are_equal_in_every_era_is_refused(diagnose, past, contract):
    done = diagnose(equal_in(0, 1, 2, 3, 4)(past))
    done.fails_as(contract, "invalid_predictions", "each of 5 eras", "untrained")


def test_the_terminal_says_what_the_figures_support_and_what_intervals_assume(diagnose):
    done = diagnose(by_feature(5)).succeeds()
    for sentence in done.numbers["conclusion"]:
        assert sentence in " ".join(done.stdout.split())
    assert "effective" in done.stdout
    assert "targets of 4 neighbouring eras count as overlapping, by its name" in done.stdout
    assert "mean |x|" in done.stdout
    assert "sign changes" in done.stdout
    assert "Sign changes" in done.page


def test_a_diagnosis_that_cannot_count_its_look_says_so(diagnose, tmp_path):
    (tmp_path / "state").write_text("a file where a directory should be")

    def model(live_features):
        return live_features.iloc[:, [5]].rank(pct=True).set_axis(["prediction"], axis=1)

    done = diagnose(model).succeeds()
    assert "this look at the eras is not counted" in done.stderr
    assert "looks at these eras are not counted" in done.stdout
    assert done.numbers["models_shown"] is None


@pytest.mark.parametrize("off", [False, True])
def test_the_numbers_of_the_run_say_what_predicted_a_tree_model(diagnose, off):
    rows = np.random.default_rng(1).integers(0, 5, (300, 60)).astype(np.float32)
    data = lightgbm.Dataset(rows, rows.sum(axis=1), params={"verbose": -1})
    booster = lightgbm.train({"verbose": -1}, data, 5)

    def model(live_features):
        features = [name for name in live_features if name.startswith("feature_")]
        values = booster.predict(live_features[features])
        return live_features[[]].assign(prediction=values).rank(pct=True)

    run = diagnose(model, *["--no-acceleration"] * off).succeeds().numbers["run"]
    assert run["acceleration"]["used"] == "library"
    assert ("the engine is off" in run["acceleration"]["reasons"][0]) is off
    assert 0 < run["slowest_seconds"] <= run["predict_seconds"]
