"""Past eras in batches, each in the form of live data; errors in the files."""

import numpy as np
import pandas as pd
import pytest

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.era_selection import Eras
from numerai_predict.diagnostics.data_files import find_data_files
from numerai_predict.diagnostics.id_lookup import IdLookup
from numerai_predict.diagnostics.measured_model import _choose_benchmark
from numerai_predict.diagnostics.validation_data import ValidationData

ERA_BYTES = 90 * 60
ALL = Eras.of("all")


@pytest.fixture(scope="module")
def frame(past):
    return pd.read_parquet(past / "validation.parquet")


@pytest.fixture
def written(tmp_path, frame):
    """A validation file, with some of its columns or rows replaced."""

    def write(changed):
        path = tmp_path / "validation.parquet"
        changed.to_parquet(path)
        return path

    return write


def fails(call, *fragments):
    with pytest.raises(DatasetUnavailable) as failed:
        call()
    text = f"{failed.value.message} -> {failed.value.remedy}"
    for word in fragments:
        assert word in text


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(1, [1] * 5), (ERA_BYTES, [1] * 5), (2 * ERA_BYTES, [2, 2, 1]), (10**9, [5])],
)
def test_a_batch_holds_as_many_eras_as_fit_and_never_less_than_one(past, frame, most, sizes):
    batches = list(ValidationData(past / "validation.parquet", "target", ALL).batches(most))
    assert [len(batch) for batch in batches] == sizes
    for rows in [rows for batch in batches for rows in batch]:
        expected = frame[frame["era"] == rows.era]
        assert rows.ids.to_pylist() == list(expected.index)
        assert np.array_equal(rows.features, expected.filter(like="feature_").to_numpy())
        assert np.array_equal(rows.target, expected["target"].to_numpy())


def test_eras_with_scattered_rows_are_gathered(written, frame):
    scattered = frame.sample(frac=1, random_state=1)
    (batch,) = ValidationData(written(scattered), "target", ALL).batches(10**9)
    for rows in batch:
        expected = scattered[scattered["era"] == rows.era]
        assert rows.ids.to_pylist() == list(expected.index)
        assert np.array_equal(rows.features, expected.filter(like="feature_").to_numpy())


def test_an_era_is_written_in_the_form_of_live_data(past, tmp_path):
    validation = ValidationData(past / "validation.parquet", "target", ALL)
    (rows, *_), *_ = validation.batches(1)
    validation.write_as_live(rows, tmp_path / "live.parquet")
    written, live = (pd.read_parquet(each / "live.parquet") for each in (tmp_path, past))
    pd.testing.assert_series_equal(written.dtypes, live.dtypes)
    assert written.index.name == live.index.name == "id"
    for name in ("era", "data_type"):
        assert set(written[name]) == set(live[name])
    assert written.filter(like="target").isna().all(axis=None)


def test_eras_without_a_target_are_left_out_and_counted(written, frame):
    frame = frame.copy()
    frame.loc[frame["era"].isin(["0006", "0007"]), "target"] = np.nan
    validation = ValidationData(written(frame), "target", ALL)
    assert validation.eras == ["0003", "0004", "0005"]
    assert validation.eras_without_target == 2


def test_eras_may_be_chosen(past):
    path = past / "validation.parquet"
    assert ValidationData(path, "target", Eras.of("every:2")).eras == ["0003", "0005", "0007"]
    assert ValidationData(path, "target", Eras.of("0004-0005")).eras == ["0004", "0005"]
    fails(lambda: ValidationData(path, "target", Eras.of("0100-")), "found 0003 to 0007")


def test_files_that_are_no_validation_data_are_rejected(past, written, frame, tmp_path):
    path = tmp_path / "text.parquet"
    path.write_text("hello")
    fails(lambda: ValidationData(path, "target", ALL), "expected a parquet file", "data get")
    path = past / "validation.parquet"
    fails(
        lambda: ValidationData(path, "target_x", ALL),
        "no such column",
        "target_ender_60",
        "--target",
    )
    bare = frame.drop(columns=frame.filter(like="target").columns)
    fails(lambda: ValidationData(written(bare), "target", ALL), "no target at all")
    unknown = frame.assign(target=np.float32("nan"))
    fails(lambda: ValidationData(written(unknown), "target", ALL), "found NaN in all", "--target")
    fails(lambda: ValidationData(written(frame.drop(columns="era")), "target", ALL), "era")
    features = frame.filter(like="feature_").columns
    fails(lambda: ValidationData(written(frame.drop(columns=features)), "target", ALL), "feature_")


def test_features_that_are_not_int8_are_rejected(written, frame):
    wide = frame.assign(feature_sample_0003=frame["feature_sample_0003"].astype("float32"))
    validation = ValidationData(written(wide), "target", ALL)
    fails(lambda: list(validation.batches(1)), "expected int8", "feature_sample_0003")


def test_files_in_the_directory_of_a_validation_file_are_found_by_name(past, tmp_path):
    found = find_data_files(past)
    assert found == find_data_files(past / "validation.parquet")
    assert found.benchmarks == past / "validation_benchmark_models.parquet"
    assert found.meta_model == past / "meta_model.parquet"
    train = find_data_files(past / "train.parquet")
    assert train.benchmarks == past / "train_benchmark_models.parquet"


def test_the_error_for_a_missing_file_names_the_command_that_gets_it(past, tmp_path):
    fails(lambda: find_data_files(tmp_path), "validation.parquet", "data get validation")
    (tmp_path / "validation.parquet").symlink_to(past / "validation.parquet")
    fails(
        lambda: find_data_files(tmp_path), "features.json", "data get features", "--features-file"
    )
    found = find_data_files(tmp_path, features=past / "features.json")
    assert found.benchmarks is None
    assert found.meta_model is None
    gone = tmp_path / "gone.parquet"
    fails(lambda: find_data_files(past, benchmarks=gone), "gone.parquet", "leave the option out")


def test_rows_are_looked_up_by_id_as_pandas_reads_them(past):
    path = past / "validation_benchmark_models.parquet"
    frame = pd.read_parquet(path)
    wanted = list(frame.index[[300, 2, 70]])
    found = IdLookup(path).rows([*wanted, "unknown"])
    pd.testing.assert_frame_equal(found, frame[frame.index.isin(wanted)])
    meta_model = IdLookup(past / "meta_model.parquet")
    assert meta_model.columns == ["numerai_meta_model"]
    assert meta_model.rows(["unknown"]).empty


def test_a_file_without_ids_or_numbers_cannot_be_looked_up(tmp_path):
    path = tmp_path / "odd.parquet"
    pd.DataFrame({"a": ["x"]}).to_parquet(path)
    fails(lambda: IdLookup(path), "expected ids and a column of numbers")


def test_the_error_for_an_unknown_benchmark_model_lists_those_available():
    assert _choose_benchmark(None, ["a", "b"]) == "a"
    assert _choose_benchmark("b", ["a", "b"]) == "b"
    assert _choose_benchmark(None, []) is None
    fails(lambda: _choose_benchmark("c", ["a", "b"]), "'c'", "a, b", "--benchmark-model")


def test_ids_that_are_not_strings_are_rejected(written, frame):
    odd = frame.set_axis(pd.Index(np.arange(len(frame))[::-1], name="id"))
    fails(
        lambda: ValidationData(written(odd), "target", ALL), "expected strings as the ids", "int64"
    )
