"""Views: the selected columns and eras, unchanged, in bounded memory."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.era_selection import Eras
from numerai_predict.data.synthetic import SampleShape, write_sample
from numerai_predict.data.view import read_view

ERAS = [f"{number:04d}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def frame(sample):
    return pd.read_parquet(sample / "train.parquet")


@pytest.fixture(scope="module")
def path(sample):
    return sample / "train.parquet"


@pytest.mark.parametrize("features", ["small", "medium", "all"])
def test_a_feature_set_is_what_features_json_says(path, frame, sample, features):
    sets = json.loads((sample / "features.json").read_text())["feature_sets"]
    view = read_view(path, features)
    assert view.feature_names == sets[features]
    assert view.features.dtype == np.int8
    assert np.array_equal(view.features, frame[sets[features]].to_numpy())


def test_v5_3_has_the_set_quantum_and_benchmark_models_of_its_own(tmp_path):
    shape = SampleShape(live_rows=20, rows=10, train_eras=1, validation_eras=1, quantum=5)
    write_sample(tmp_path / "v5.3", shape)
    view = read_view(tmp_path / "v5.3/train.parquet", "quantum")
    assert view.feature_names == shape.feature_names[-5:]
    benchmarks = pd.read_parquet(tmp_path / "v5.3/live_benchmark_models.parquet")
    assert list(benchmarks.columns) == ["v53_lgbm_ender20", "v53_lgbm_ender60"]


def test_a_view_as_frame_has_the_selected_part_of_the_file(path, frame):
    names = ["feature_sample_0005", "feature_sample_0001"]
    view = read_view(path, names, targets=["target_ender_60", "target"]).frame()
    wanted = frame[["era", *names, "target_ender_60", "target"]]
    pd.testing.assert_frame_equal(view, wanted)
    assert view[names[0]].dtype == np.int8


def test_the_frame_of_a_view_copies_no_feature(path):
    view = read_view(path, "all")
    frame = view.frame()
    column = frame["feature_sample_0003"].to_numpy()
    assert np.shares_memory(column, view.features)


@pytest.mark.parametrize(
    ("eras", "chosen"),
    [
        ("all", ERAS),
        ("every:3", ["0001", "0004", "0007"]),
        ("0003-0005", ["0003", "0004", "0005"]),
        ("0007-", ["0007", "0008"]),
        ("-2", ["0001", "0002"]),
    ],
)
def test_eras_are_all_every_nth_or_a_range(path, frame, eras, chosen):
    view = read_view(path, "small", eras=eras)
    assert list(dict.fromkeys(view.eras)) == chosen
    wanted = frame[frame["era"].isin(chosen)]
    assert view.ids.to_pylist() == list(wanted.index)
    assert np.array_equal(view.features, wanted[view.feature_names].to_numpy())
    assert np.array_equal(view.targets[:, 0], wanted["target"].to_numpy())


def test_live_data_have_one_era_and_unknown_targets(sample):
    view = read_view(sample / "live.parquet", eras="every:4")
    assert set(view.eras) == {"X"}
    assert np.isnan(view.targets).all()


@pytest.mark.parametrize("groups", [1, 7, 1000])
def test_row_groups_of_any_size_give_the_same(frame, tmp_path, groups):
    path = tmp_path / "train.parquet"
    shuffled = frame.sample(frac=1, random_state=1)  # eras in no order
    shuffled.to_parquet(path, row_group_size=-(-len(frame) // groups))
    names = ["feature_sample_0000", "feature_sample_0059"]
    view = read_view(path, names, eras="0002-0003")
    wanted = shuffled[shuffled["era"].isin(["0002", "0003"])]
    assert view.ids.to_pylist() == list(wanted.index)
    assert np.array_equal(view.features, wanted[names].to_numpy())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": "huge"}, "'huge'; there are small, medium, all"),
        ({"features": ["feature_none"]}, "such as feature_none"),
        ({"targets": ["target_none"]}, "such as target_none"),
        ({"features": ["target"]}, "expected int8"),
        ({"eras": "0100-0200"}, "found 0001 to 0008"),
        ({"eras": "0005-0001"}, "expected eras, found"),
        ({"eras": "every:0"}, "expected eras, found"),
        ({"eras": "-"}, "expected eras, found"),
        ({"eras": "first"}, "expected eras, found"),
    ],
)
def test_missing_columns_sets_and_eras_are_reported(path, options, words):
    with pytest.raises(DatasetUnavailable) as failed:
        read_view(path, **options)
    assert words in failed.value.message
    assert failed.value.remedy


@pytest.mark.parametrize("content", [b"", b"PAR1 is not enough", None])
def test_a_file_that_is_not_parquet_is_reported(tmp_path, content):
    path = tmp_path / "train.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetUnavailable, match="expected a parquet file"):
        read_view(path, ["feature_a"])


@given(st.lists(st.integers(1, 40), unique=True, min_size=1), st.integers(1, 9))
def test_every_nth_era_begins_with_the_first(numbers, step):
    eras = np.array([f"{number:04d}" for number in numbers for _ in range(2)])
    kept = eras[Eras(step=step).mask(eras)]
    assert list(dict.fromkeys(kept)) == [f"{number:04d}" for number in numbers][::step]


@pytest.mark.process
def test_the_peak_is_little_more_than_the_view(tmp_path):
    """The same as bench/view.py measures with 300,000 x 2,750, on less."""
    rows, columns = 60_000, 1_500
    program = f"""
import resource, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
path = Path(sys.argv[1])
names = [f"feature_{{n}}" for n in range({columns})]
if sys.argv[2] == "write":
    random = np.random.default_rng(1)
    with_ids = pa.schema([("id", pa.string()), ("era", pa.string()),
        *[(name, pa.int8()) for name in names]])
    with pq.ParquetWriter(path, with_ids) as writer:
        block = pa.array(random.integers(0, 5, 20_000).astype(np.int8))
        for start in range(0, {rows}, 20_000):
            ids = [f"n{{n:015x}}" for n in range(start, start + 20_000)]
            eras = [f"{{start // 20_000 + 1:04d}}"] * 20_000
            writer.write_table(pa.table([ids, eras, *[block] * {columns}], with_ids))
else:
    from numerai_predict.data.view import read_view
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    view = read_view(path, names, targets=())
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print((after - before) * 1024 / view.features.nbytes)
"""
    words = [sys.executable, "-c", program, str(tmp_path / "big.parquet")]
    subprocess.run([*words, "write"], check=True, timeout=100)
    measured = subprocess.run(
        [*words, "read"], check=True, timeout=100, capture_output=True, text=True
    )
    assert float(measured.stdout) < 1.3
