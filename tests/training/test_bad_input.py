"""Errors in data or environment are reported before a file is partly written."""

import resource
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.snapshot_manifest import SnapshotEntry, write_snapshot_manifest


@pytest.fixture
def copied(data, tmp_path):
    """The data in a directory of their own, to be changed."""
    folder = tmp_path / "snapshot" / "v5.2"
    shutil.copytree(data, folder)
    return folder


def rewrite(path, change):
    change(frame := pd.read_parquet(path))
    frame.to_parquet(path)


def test_too_few_eras_for_the_windows(training):
    few = training(validation={"window_eras": 30})
    few.fails_as("bad_configuration", "expected at least 88 eras", "found 66")


def test_an_embargo_below_the_horizon(training):
    short = training(targets=["target_ender_60"], validation={"purge_eras": 4})
    short.fails_as("bad_configuration", "expected an embargo of at least 12 eras", "found 4")


def test_an_unknown_target(training):
    training(targets=["target_x_20"]).fails_as("dataset_unavailable", "such as target_x_20")


def test_a_target_that_is_all_nan(training, copied):
    for name in ("train", "validation"):
        rewrite(copied / f"{name}.parquet", lambda frame: frame.__setitem__("target", np.nan))
    training(folder=copied).fails_as("dataset_unavailable", "expected values of target, found NaN")


def test_a_target_that_is_not_finite(training, copied):
    rewrite(
        copied / "train.parquet",
        lambda frame: frame.__setitem__("target", [np.inf, *frame.target[1:]]),
    )
    training(folder=copied).fails_as("dataset_unavailable", "expected finite values of target")


@pytest.mark.parametrize("name", ["era", "data_type"])
def test_a_target_that_is_no_number(training, name):
    strange = training(targets=[name], horizons={name: 20})
    strange.fails_as("dataset_unavailable", f"expected numbers in the column {name}")


@pytest.mark.process
def test_rows_without_the_target_are_reported_and_left_out(training, copied):
    def lose(frame):
        frame.loc[frame.index[:10], "target_ender_20"] = np.nan

    rewrite(copied / "train.parquet", lose)
    some = training(folder=copied, targets=["target_ender_20"], seeds=[42])
    ended = some.succeeds()
    assert "10 of 7,920 rows have no target_ender_20: left out" in ended.text


def test_a_target_that_a_whole_window_lacks(training, copied):
    def lose(frame):
        frame.loc[frame["era"] < "0050", "target_ender_20"] = np.nan

    for name in ("train", "validation"):
        rewrite(copied / f"{name}.parquet", lose)
    training(folder=copied, targets=["target", "target_ender_20"]).fails_as(
        "bad_configuration", "expected rows with target_ender_20 in each part of window-1"
    )


def test_parameters_that_prevent_learning(training):
    training(lightgbm={"min_data_in_leaf": 100_000}).fails_as(
        "bad_configuration",
        "expected varying predictions from the model of window-1 target seed 42",
    )


def test_a_feature_that_the_data_lack(training):
    training(features=["feature_sample_0001", "feature_else"]).fails_as(
        "dataset_unavailable", "such as feature_else"
    )


def test_an_unknown_feature_set(training):
    training(features="huge").fails_as("dataset_unavailable", "found 'huge'", "small, medium, all")


def test_a_feature_of_other_values(training, copied):
    def raise_one(frame):
        frame.iloc[7, frame.columns.get_loc("feature_sample_0004")] = 9

    rewrite(copied / "train.parquet", raise_one)
    training(folder=copied).fails_as("dataset_unavailable", "found 0 to 9 in feature_sample_0004")


def test_live_data_cannot_be_trained_on(training):
    training(data={"files": ["live"]}).fails_as("dataset_unavailable", "found 'X'")


def test_files_in_the_wrong_order(training):
    training(data={"files": ["validation", "train"]}).fails_as(
        "dataset_unavailable", "expected ascending eras"
    )


def test_a_file_without_eras(training, copied):
    path = copied / "train.parquet"
    pd.read_parquet(path).drop(columns="era").to_parquet(path)
    training(folder=copied).fails_as("dataset_unavailable", "such as era")


def test_no_data_at_all(training, tmp_path):
    training(folder=tmp_path / "nowhere").fails_as("dataset_unavailable", "features.json", "get")


def test_an_unknown_benchmark_model(training):
    training(benchmark="v9_best").fails_as(
        "dataset_unavailable", "expected the benchmark model v9_best", "v52_lgbm_ender20"
    )


def test_a_snapshot_whose_bytes_are_not_those_of_its_manifest(training, copied):
    path = copied / "validation.parquet"
    entry = SnapshotEntry(sha256_of(path), path.stat().st_size, 0, None, 1, "2026-01-01T00:00:00Z")
    write_snapshot_manifest(copied.parent, {"v5.2/validation.parquet": entry})
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    training(folder=copied).fails_as("dataset_unavailable", "found other bytes", "validation")


@pytest.mark.process
def test_a_full_disk_leaves_no_part_of_a_file_and_the_training_goes_on_later(training):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    full = training(seeds=[42])
    full.fails_as("save_failed", "File too large", preexec_fn=small_files)
    full.succeeds()


def test_a_disk_that_is_full_later_leaves_the_bundle_that_there_is(training, trained):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    full = training()
    shutil.copytree(trained.output, full.output)
    ended = full.run("--reveal-holdout", preexec_fn=small_files)
    assert (ended.exit_code, "Traceback" in ended.text) == (41, False)
    assert full.leftovers() == []
    for name in ("model.pkl", "manifest.json", "scores.json", "predictions.parquet"):
        assert (full.output / name).read_bytes() == (trained.output / name).read_bytes()


def test_another_training_in_the_same_folder(training):
    import fcntl

    busy = training()
    (busy.output / "checkpoints").mkdir(parents=True)
    with open(busy.output / "checkpoints" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy.fails_as("training_busy", "found one running")


@pytest.mark.process
def test_an_output_that_is_a_file(training):
    blocked = training()
    blocked.output.write_text("here")
    ended = blocked.run()
    assert (ended.exit_code, "Traceback" in ended.text) == (41, False)


def test_a_missing_gpu(training):
    training(trainer="xgboost", device="gpu").fails_as(
        "bad_configuration", "expected a GPU that xgboost can use"
    )


@pytest.mark.process
def test_without_a_gpu_auto_uses_the_cpu(training):
    ended = training(
        trainer="xgboost", device="auto", rounds=1, seeds=[1], validation={"windows": 1}
    ).succeeds()
    assert ended.text.count("on the CPU, because no GPU works: ") == 1


@pytest.mark.process
def test_another_python_without_an_engine_or_without_an_image(training, monkeypatch):
    other = "3.10" if sys.version_info >= (3, 11) else "3.12"
    monkeypatch.setenv("DOCKER", "false")
    training().fails_as(
        "bad_configuration", f"pack a bundle for Python {other}", options=["--python", other]
    )
    training(python="3.99").fails_as("bad_configuration", "found 3.99")


def without_benchmarks(folder, eras):
    """Drop the rows of benchmark models of some eras."""
    kept = pd.read_parquet(folder / "validation.parquet", columns=["era"])["era"]
    path = folder / "validation_benchmark_models.parquet"
    frame = pd.read_parquet(path)
    frame[~kept.reindex(frame.index).isin(eras)].to_parquet(path)


@pytest.mark.process
def test_eras_that_cannot_be_neutralized_are_not_scored_and_are_counted(training, copied):
    without_benchmarks(copied, ["0060", "0061", "0062"])
    half = training(folder=copied, neutralize=0.5, seeds=[42], rounds=20, validation={"windows": 1})
    ended = half.succeeds("--reveal-holdout")
    assert "final: 3 of 8 eras have no row of v52_lgbm_ender" in ended.text
    assert half.scores()["holdout"]["corr"]["eras"] == 5
    assert set(half.scores()["per_era"]["holdout"]).isdisjoint(["0060", "0061", "0062"])


def test_eras_of_which_none_can_be_neutralized_are_refused(training, copied):
    without_benchmarks(copied, [f"{era:04d}" for era in range(59, 67)])
    half = training(folder=copied, neutralize=0.5, seeds=[42], rounds=20, validation={"windows": 1})
    half.fails_as(
        "bad_configuration",
        "expected benchmark rows to neutralize final",
        "8 of 8 eras have no",
        options=["--reveal-holdout"],
    )
