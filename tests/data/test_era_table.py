"""Past eras of several files are one table, read in parts."""

import numpy as np
import pandas as pd
import pytest

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.era_table import EraTable
from numerai_predict.data.synthetic import SampleShape, write_sample

NAMES = ["feature_sample_0003", "feature_sample_0000"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history") / "sample"
    write_sample(folder, SampleShape(10, rows=20, train_eras=5, validation_eras=3, features=50))
    return folder


@pytest.fixture(scope="module")
def paths(folder):
    return [folder / "train.parquet", folder / "validation.parquet"]


@pytest.fixture(scope="module")
def whole(paths):
    return pd.concat(map(pd.read_parquet, paths))


@pytest.fixture
def history(paths):
    return EraTable.of(paths, [*NAMES, "target"])


def test_rows_of_all_files_follow_each_other(history, whole):
    assert history.eras.tolist() == whole["era"].astype(int).tolist()
    np.testing.assert_array_equal(history.column("target"), whole["target"])


@pytest.mark.parametrize("eras", [[1], [5, 6], [2, 8], range(1, 9)])
def test_chosen_rows_come_from_every_file_that_has_some(history, whole, eras):
    mask = np.isin(history.eras, list(eras))
    assert history.ids(mask) == whole.index[mask].tolist()
    block = history.features(NAMES, mask)
    assert (block.dtype, block.flags.f_contiguous) == (np.int8, True)
    np.testing.assert_array_equal(block, whole.loc[mask, NAMES])


def test_no_rows_are_no_rows(history):
    nowhere = np.zeros(len(history.eras), np.bool_)
    assert history.features(NAMES, nowhere).shape == (0, 2)
    assert history.ids(nowhere) == []


def test_gaps_are_nan(history, paths, tmp_path):
    frame = pd.read_parquet(paths[0])
    frame.loc[frame.index[3], "target"] = np.nan
    frame.to_parquet(tmp_path / "gaps.parquet")
    values = EraTable.of([tmp_path / "gaps.parquet"], ["target"]).column("target")
    assert np.flatnonzero(np.isnan(values)).tolist() == [3]


def test_eras_must_grow_from_file_to_file(paths):
    with pytest.raises(DatasetUnavailable, match="an earlier era after a later one"):
        EraTable.of(paths[::-1], NAMES)


def test_live_data_have_no_past(folder):
    with pytest.raises(DatasetUnavailable, match="found 'X'"):
        EraTable.of([folder / "live.parquet"], NAMES)
