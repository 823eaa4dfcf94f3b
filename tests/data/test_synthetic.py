"""The sample data set has the shape of the tournament's, and something to learn."""

import json

import numpy as np
import pandas as pd
import pytest

from numerai_predict.data import synthetic as module
from numerai_predict.data.synthetic import FILES, TARGETS, SampleShape, write_sample

SMALL = SampleShape(live_rows=20, rows=10, train_eras=3, validation_eras=2, features=50)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("written") / "sample"
    write_sample(directory, SMALL)
    return directory


@pytest.fixture
def read(written):
    return lambda name: pd.read_parquet(written / f"{name}.parquet")


def test_exactly_the_files_that_are_listed_are_written(written):
    assert sorted(path.name for path in written.iterdir()) == sorted(FILES)
    assert [path.name for path in written.parent.iterdir()] == ["sample"]


def test_the_same_parameters_give_the_same_bytes(written, tmp_path):
    write_sample(tmp_path / "again", SMALL)
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (written / name).read_bytes()


def test_another_seed_gives_other_data(read, tmp_path):
    write_sample(tmp_path / "other", SampleShape(**{**vars(SMALL), "seed": 1}))
    other = pd.read_parquet(tmp_path / "other" / "live.parquet")
    assert not set(other.index) & set(read("live").index)


def test_an_era_does_not_depend_on_how_many_there_are(read, tmp_path):
    write_sample(tmp_path / "more", SampleShape(**{**vars(SMALL), "train_eras": 4}))
    more = pd.read_parquet(tmp_path / "more" / "train.parquet")
    pd.testing.assert_frame_equal(more[more["era"] < "0004"], read("train"))


@pytest.mark.parametrize(
    ("name", "eras", "rows"),
    [
        ("train", ["0001", "0002", "0003"], 10),
        ("validation", ["0004", "0005"], 10),
        ("live", ["X"], 20),
    ],
)
def test_rows_and_eras_are_those_of_the_shape(read, name, eras, rows):
    frame = read(name)
    assert list(frame["era"].unique()) == eras
    assert set(frame["era"].value_counts()) == {rows}
    assert set(frame["data_type"]) == {name}


@pytest.mark.parametrize("name", ["train", "validation", "live"])
def test_types_are_those_of_the_tournament(read, name):
    frame = read(name)
    assert frame.index.name == "id"
    assert frame.index.is_unique
    assert all(isinstance(value, str) for value in [*frame.index, *frame["era"]])
    assert list(frame.columns) == ["era", "data_type", *SMALL.feature_names, *TARGETS]
    features = frame[SMALL.feature_names]
    assert set(features.dtypes) == {np.dtype("int8")}
    assert set(np.unique(features)) == {0, 1, 2, 3, 4}
    assert set(frame[list(TARGETS)].dtypes) == {np.dtype("float32")}


def test_targets_are_fifths_and_missing_in_live_data(read):
    for target in TARGETS:
        assert set(read("train")[target]) <= {0, 0.25, 0.5, 0.75, 1}
        assert read("train")[target].nunique() > 2
        assert read("live")[target].isna().all()
    pd.testing.assert_series_equal(
        read("train")["target"], read("train")["target_ender_20"], check_names=False
    )


@pytest.mark.parametrize("name", ["train", "validation", "live"])
def test_benchmark_models_lie_beside_their_data(read, name):
    benchmarks = read(f"{name}_benchmark_models")
    assert list(benchmarks.index) == list(read(name).index)
    assert list(benchmarks.columns) == list(module.BENCHMARK_MODELS)
    assert benchmarks.to_numpy().min() > 0
    assert benchmarks.to_numpy().max() < 1


def test_the_meta_model_covers_validation(read):
    meta_model, validation = read("meta_model"), read("validation")
    assert list(meta_model.index) == list(validation.index)
    pd.testing.assert_series_equal(meta_model["era"], validation["era"])
    assert meta_model["numerai_meta_model"].between(0, 1).all()


def test_feature_sets_are_nested_and_the_small_one_has_42(written):
    described = json.loads((written / "features.json").read_text())
    small, medium, everything = described["feature_sets"].values()
    assert list(described["feature_sets"]) == ["small", "medium", "all"]
    assert len(small) == 42
    assert set(small) <= set(medium) <= set(everything)
    assert everything == SMALL.feature_names
    assert described["targets"] == list(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_a_linear_model_learns_a_weak_signal(tmp_path, target):
    # 60 eras of a target of 60 days are worth 5 independent ones, so fewer teach little.
    shape = SampleShape(live_rows=1, rows=200, train_eras=60, validation_eras=20, features=42)
    write_sample(tmp_path / "s", shape)
    train, validation = (
        pd.read_parquet(tmp_path / "s" / f"{name}.parquet") for name in ("train", "validation")
    )
    names = shape.feature_names
    weights, *_ = np.linalg.lstsq(train[names] - 2.0, train[target] - 0.5, rcond=None)
    correlation = np.corrcoef((validation[names] - 2.0) @ weights, validation[target])[0, 1]
    assert 0.05 < correlation < 0.35


@pytest.mark.parametrize(
    "options",
    [
        {"features": 41},
        {"live_rows": 0},
        {"rows": 0},
        {"train_eras": 0},
        {"validation_eras": -1},
        {"signal": 1.0},
        {"signal": -0.1},
        {"signal": float("nan")},
    ],
    ids=str,
)
def test_a_shape_that_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match=r"^expected "):
        SampleShape(**options)


def test_an_older_sample_is_replaced(tmp_path):
    write_sample(tmp_path / "s", SMALL)
    (tmp_path / "s" / "live.parquet").write_bytes(b"old")
    write_sample(tmp_path / "s", SMALL)
    assert len(pd.read_parquet(tmp_path / "s" / "live.parquet")) == 20


def test_somebody_elses_files_are_not_replaced(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"thesis\.txt"):
        write_sample(tmp_path / "s", SMALL)
    assert (tmp_path / "s" / "thesis.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_file_in_the_way_is_not_replaced(tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(OSError, match="s"):
        write_sample(tmp_path / "s", SMALL)
    assert (tmp_path / "s").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_is_left_of_an_interrupted_sample(tmp_path, monkeypatch, error):
    draw = module._draw_era

    def interrupted(shape, number, *rest):
        if number == 4:
            raise error
        return draw(shape, number, *rest)

    monkeypatch.setattr(module, "_draw_era", interrupted)
    with pytest.raises(error):
        write_sample(tmp_path / "s", SMALL)
    assert list(tmp_path.iterdir()) == []


def test_missing_parents_of_the_directory_are_made(tmp_path):
    write_sample(tmp_path / "a" / "b", SMALL)
    assert (tmp_path / "a" / "b" / "live.parquet").is_file()
