"""From sample data to a verified bundle."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from numerai_predict.inspection.inspect import inspect_pickle


def test_defaults_scaled_down_find_the_weak_signal(trained):
    corr = trained.scores()["holdout"]["corr"]
    assert corr["eras"] == 8
    assert corr["mean"] > 0.05
    assert corr["mean"] / corr["std"] * np.sqrt(corr["eras"]) > 4


def test_every_score_is_computed_for_windows_and_holdout(trained):
    scores = trained.scores()
    assert "there is no" not in trained.ended.text
    for part in ("windows", "holdout"):
        assert list(scores[part]) == ["corr", "mmc", "bmc", "fnc", "exposure"]
        for facts in scores[part].values():
            assert facts["eras"] > 0
            assert facts["std"] is not None
    assert len(scores["per_era"]["windows"]) == 12
    assert "windows corr" in trained.ended.stdout
    assert "intervals: targets of 4 neighbouring eras count as overlapping" in trained.ended.stdout
    assert "windows: largest absolute exposure to one feature in an era: " in trained.ended.stdout


def test_the_same_seeds_give_the_same_models_whatever_the_number_of_threads(trained, training):
    again = training()
    again.succeeds("--reveal-holdout", variables={"NUMERAI_TRAIN_THREADS": "2"})
    assert again.models() == trained.models()
    assert again.scores() == trained.scores()


def test_the_manifest_describes_the_origin_of_the_model(trained):
    manifest = trained.manifest()
    assert manifest["model"]["arity"] == 1
    assert manifest["data"]["data"].keys() == {"train.parquet", "validation.parquet"}
    assert manifest["configuration"]["lightgbm"]["num_leaves"] == 8
    assert manifest["versions"].keys() >= {"python", "numerai-predict", "lightgbm"}
    assert manifest["scores"]["holdout"]["corr"]["mean"] > 0
    assert [model["seed"] for model in manifest["models"]] == [42, 1337]
    assert manifest["trial"]["rows"] == 150
    assert "git_commit" in manifest
    # 66 eras, of which 8 are the holdout, after an embargo of 4.
    assert manifest["trained_on"] == {"first": 1, "last": 54, "clear_from": 59}


def test_the_bundle_needs_no_module_of_this_package(trained):
    inspection = inspect_pickle(trained.output / "model.pkl")
    wanted = {module.partition(".")[0] for module in inspection.references}
    assert wanted <= {
        "cloudpickle",
        "numpy",
        "pandas",
        "math",
        "statistics",
        "warnings",
        "builtins",
        "_cloudpickle",
    }
    assert inspection.main_names == ()
    trainers = {"lightgbm", "xgboost", "catboost"}
    assert trainers & {*inspection.imports, *wanted} == {"lightgbm"}
    assert str(inspection.holds).endswith("predict(live_features)")
    assert len(inspection.features) == 42
    assert "numerai_predict" not in (trained.output / "model.pkl").read_bytes().decode("latin1")


def test_predictions_of_past_eras_are_kept_for_each_model(trained):
    kept = pd.read_parquet(trained.output / "predictions.parquet")
    assert list(kept.columns) == ["era", "prediction", "target_42", "target_1337", "window"]
    assert kept["prediction"].between(0, 1, inclusive="neither").all()
    assert kept.groupby("window")["era"].nunique().to_dict() == {
        "window-1": 6,
        "window-2": 6,
        "final": 8,
    }
    assert kept.index.is_unique


def test_a_second_run_trains_nothing(trained, training):
    again = training()
    shutil.copytree(trained.output, again.output)
    ended = again.succeeds("--json")
    assert json.loads(ended.stdout)["scores"]["windows"].keys() >= {"corr"}
    assert ended.text.count("was done before") == 6
    assert " load     window" not in ended.text


def test_a_changed_parameter_is_named_and_trained_again(trained, training):
    changed = training(seeds=[42, 7], lightgbm={"learning_rate": 0.2})
    shutil.copytree(trained.output, changed.output)
    ended = changed.succeeds()
    assert "changed  parameters.learning_rate was 0.1, is 0.2: training again" in ended.text
    assert ended.text.count("learning_rate was") == 1
    assert "was done before" not in ended.text


def test_one_more_seed_trains_only_that_seed(trained, training):
    more = training(seeds=[42, 1337, 7])
    shutil.copytree(trained.output, more.output)
    ended = more.succeeds()
    assert ended.text.count("was done before") >= 4  # the final models too, if rounds stay the same
    assert "seed 7" in ended.text


def test_the_holdout_may_be_trained_on_after_scoring(trained, training):
    whole = training(use_holdout=True)
    shutil.copytree(trained.output, whole.output)
    ended = whole.succeeds("--reveal-holdout")
    assert ended.text.count("was done before") == 6
    assert "load     whole, target: 7,920 rows x 42 features of 66 eras" in ended.text
    assert whole.scores() == trained.scores()
    assert set(whole.models()).isdisjoint(trained.models())
    assert not whole.manifest()["holdout"]["is_bundled"]
    assert "the bundled models were also trained on the holdout and have no scores" in ended.stdout


def test_the_holdout_is_scored_on_request_alone(trained, training):
    hidden = training()
    shutil.copytree(trained.output, hidden.output)
    for leftover in (hidden.output / "checkpoints").glob("final_scores*"):
        leftover.unlink()
    ended = hidden.succeeds()
    assert "holdout: eras 0059 to 0066 are not scored; --reveal-holdout" in ended.stdout
    assert "holdout corr" not in ended.stdout
    assert " score    final" not in ended.text
    assert hidden.scores()["holdout"] is None
    assert hidden.scores()["per_era"]["holdout"] is None
    assert hidden.manifest()["scores"]["holdout"] is None
    assert not hidden.manifest()["holdout"]["is_revealed"]
    kept = pd.read_parquet(hidden.output / "predictions.parquet")
    assert set(kept["window"]) == {"window-1", "window-2"}
    assert hidden.models() == trained.models()


def test_looks_at_the_holdout_are_counted_by_model(trained, training, tmp_path):
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    first, second = training("first"), training("second", max_exposure=0.5)
    for each in (first, second):
        shutil.copytree(trained.output, each.output)
    hidden = "(models so far: 0)"
    assert hidden in first.succeeds(variables=state).stdout
    for _ in range(2):
        ended = first.succeeds("--reveal-holdout", variables=state)
        assert "holdout: first look at eras 0059 to 0066" in ended.stdout
        assert "best of" not in ended.stdout
    ended = second.succeeds("--reveal-holdout", variables=state)
    assert "holdout: 2 models were scored on some of eras 0059 to 0066" in ended.stdout
    assert "the best one may be best by chance, and these eras are too few" in ended.stdout
    assert "best of 2" not in ended.stdout
    scores, facts = second.scores(), second.manifest()["holdout"]
    assert scores["holdout_best_of"]["corr"]["eras"] == scores["holdout"]["corr"]["eras"]
    assert (facts["first"], facts["last"], facts["models_shown"]) == (59, 66, 2)
    assert facts["is_bundled"]
    assert "(models so far: 2)" in second.succeeds(variables=state).stdout


def test_a_look_that_cannot_be_recorded_shows_nothing(trained, training, tmp_path):
    (tmp_path / "state").write_text("a file where a directory should be")
    barred = training()
    shutil.copytree(trained.output / "checkpoints", barred.output / "checkpoints")
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    ended = barred.fails_as(
        "save_failed", "record of looks", options=("--reveal-holdout",), variables=state
    )
    assert ended.stdout == ""
    assert not (barred.output / "scores.json").exists()


@pytest.mark.process
def test_several_targets_and_a_benchmark_make_a_function_of_two_arguments(training):
    both = training(
        targets=["target", "target_ender_60"],
        seeds=[42],
        neutralize=0.5,
        validation={"windows": 1},
    )
    both.succeeds()
    assert both.manifest()["model"]["arity"] == 2
    assert "embargo 12" in both.succeeds().text
    assert [model["target"] for model in both.manifest()["models"]] == ["target", "target_ender_60"]


@pytest.mark.process
@pytest.mark.parametrize("trainer", ["xgboost", "catboost"])
def test_other_libraries_have_the_same_interface(training, trainer):
    other = training(trainer=trainer, seeds=[42], rounds=20, validation={"windows": 1})
    other.succeeds("--reveal-holdout")
    corr = other.scores()["holdout"]["corr"]
    assert corr["mean"] / corr["std"] * np.sqrt(corr["eras"]) > 3
    assert other.manifest()["versions"][trainer]
    models = other.models()
    shutil.rmtree(other.output)
    other.succeeds()
    assert other.models() == models


@pytest.mark.process
def test_without_live_data_the_newest_era_verifies_the_bundle(training, data, tmp_path):
    folder = tmp_path / "without"
    shutil.copytree(data, folder)
    for name in ("live", "live_benchmark_models", "validation_benchmark_models", "meta_model"):
        (folder / f"{name}.parquet").unlink()
    (folder / "train_benchmark_models.parquet").unlink()
    alone = training(folder=folder, seeds=[42], validation={"windows": 1})
    ended = alone.succeeds("--reveal-holdout")
    assert "120 predictions of era 0066 equal the trained models'" in ended.text
    assert list(alone.scores()["holdout"]) == ["corr", "fnc", "exposure"]
    for score, name in (
        ("MMC", "meta_model"),
        ("BMC of its eras", "train_benchmark_models"),
        ("BMC of its eras", "validation_benchmark_models"),
    ):
        said = f"there is no {score}, because {name}.parquet is missing in {folder}: get it with "
        assert ended.text.count(f"{said}`numerai-predict data get {name}`") == 2, ended.text


@pytest.fixture(scope="module")
def bundled(trained, data):
    """The pickled function with live data."""
    return SimpleNamespace(
        predict=pd.read_pickle(trained.output / "model.pkl"),
        live=pd.read_parquet(data / "live.parquet"),
    )


def test_columns_may_come_in_any_order_with_others_among_them(bundled):
    expected = bundled.predict(bundled.live)
    turned = bundled.live[bundled.live.columns[::-1]].assign(feature_more=1)
    pd.testing.assert_frame_equal(bundled.predict(turned), expected)


def test_rows_are_ranked_within_their_own_era(bundled):
    alone = bundled.predict(bundled.live)
    two = pd.concat([bundled.live, bundled.live.assign(era="0001")])
    both = bundled.predict(two.sample(frac=1, random_state=1))
    assert len(both) == 2 * len(alone)
    for row in alone.index[:5]:
        assert (both.loc[row, "prediction"] == alone.loc[row, "prediction"]).all()


def test_a_missing_feature_is_named(bundled):
    with pytest.raises(ValueError, match="found 1 of them missing, such as feature_sample_0003"):
        bundled.predict(bundled.live.drop(columns="feature_sample_0003"))


def test_missing_values_in_the_data_cause_none_in_the_predictions(bundled):
    gaps = bundled.live.astype({"feature_sample_0000": "float32"})
    gaps.iloc[::3, gaps.columns.get_loc("feature_sample_0000")] = np.nan
    with pytest.warns(UserWarning, match="such as nan in feature_sample_0000"):
        assert bundled.predict(gaps)["prediction"].notna().all()
