"""Training data are checked for features that know the future, and for longer overlaps."""

import json

import numpy as np
import pandas as pd
import pytest

from numerai_predict.scoring.overlap_estimate import OverlapEstimate, OverlapFinding
from numerai_predict.training import data_checks
from numerai_predict.training.checkpoints import Checkpoints
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.data_checks import check_data, estimated_overlaps, find_leaks
from numerai_predict.training.training_data import open_training_data

pytestmark = pytest.mark.unit

ROWS, FEATURES, TARGET = 80, 16, "target_mine_1"


def target_of(values):
    ranks = values.argsort().argsort() / len(values)
    return (np.searchsorted([0.05, 0.25, 0.75, 0.95], ranks) / 4).astype(np.float32)


def write(folder, eras, overlap=1, same_ids=False, leak=None):
    """Eras whose targets share `overlap` weeks of returns; `leak` is a number of eras."""
    random = np.random.default_rng(7)
    weeks = random.standard_normal((eras + overlap, FEATURES))
    frames = []
    for era in range(eras):
        features = random.integers(0, 5, (ROWS, FEATURES)).astype(np.int8)
        returns = features @ weeks[era : era + overlap].sum(axis=0)
        ids = [f"n{0 if same_ids else era:04d}{row:04d}" for row in random.permutation(ROWS)]
        frame = pd.DataFrame(features, ids, [f"feature_{n}" for n in range(FEATURES)])
        frame[TARGET] = target_of(returns + random.standard_normal(ROWS))
        frames.append(frame.assign(era=f"{era + 1:04d}"))
    if leak is not None:
        for own, later in zip(frames, frames[leak:] if leak >= 0 else [], strict=False):
            known = later[TARGET].reindex(own.index) if same_ids else later[TARGET].to_numpy()
            own["feature_0"] = (4 * known).astype(np.int8)
    folder.mkdir(parents=True)
    pd.concat(frames).rename_axis("id").to_parquet(folder / "train.parquet")
    names = [f"feature_{n}" for n in range(FEATURES)]
    sets = {"feature_sets": {"small": names, "medium": names}, "targets": [TARGET]}
    (folder / "features.json").write_text(json.dumps(sets))
    config = TrainingConfig(data={"files": ["train"]}, features="small", targets=(TARGET,))
    return open_training_data(config, folder)


FOUR = OverlapEstimate(OverlapFinding.FOUND, 4, 4)


@pytest.mark.parametrize(
    ("eras", "overlap", "estimate"),
    [
        (160, 4, FOUR),
        (160, 1, OverlapEstimate(OverlapFinding.NONE_SHOWN)),
        (20, 4, OverlapEstimate(OverlapFinding.TOO_FEW_ERAS)),
    ],
)
def test_the_overlap_of_targets_is_that_of_the_data_not_of_their_name(
    tmp_path, eras, overlap, estimate
):
    assert estimated_overlaps(write(tmp_path / "data", eras, overlap)) == {TARGET: estimate}


def test_a_target_of_60_days_that_is_named_1_is_found_in_a_year_and_a_half(tmp_path):
    (found,) = estimated_overlaps(write(tmp_path / "data", 80, 12)).values()
    assert found.finding is OverlapFinding.FOUND
    assert found.least >= 10


@pytest.mark.parametrize("same_ids", [True, False])
@pytest.mark.parametrize("distance", [0, 1, 3])
def test_a_feature_that_is_a_later_target_is_found(tmp_path, distance, same_ids):
    data = write(tmp_path / "data", 30, same_ids=same_ids, leak=distance)
    (leak,) = find_leaks(data)
    assert (leak.feature, leak.eras_later) == ("feature_0", distance)
    assert leak.correlation > 0.9
    era = f"era + {distance}" if distance else "the same era"
    assert f"with {TARGET} of {era}: it may contain what is unknown" in str(leak)


@pytest.mark.parametrize("overlap", [1, 12])
def test_honest_features_are_no_leaks(tmp_path, overlap):
    assert find_leaks(write(tmp_path / "data", 40, overlap)) == []


def no_check(_data):
    raise AssertionError("the data were checked again")


@pytest.fixture
def checkpoints(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    return Checkpoints(tmp_path / "checkpoints")


def test_the_same_data_are_checked_once(tmp_path, checkpoints, monkeypatch):
    data = write(tmp_path / "data", 160, 4, leak=1)
    found = check_data(data, checkpoints)
    assert found.overlaps == {TARGET: FOUR}
    assert [leak.feature for leak in found.leaks] == ["feature_0"]
    monkeypatch.setattr(data_checks, "find_leaks", no_check)
    assert check_data(data, checkpoints) == found


def test_other_data_are_checked_again(tmp_path, checkpoints):
    assert check_data(write(tmp_path / "honest", 30), checkpoints).leaks == []
    assert check_data(write(tmp_path / "leaking", 30, leak=1), checkpoints).leaks != []
