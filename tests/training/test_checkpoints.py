"""Finished work is found again by all that decides it, and by nothing less."""

import pytest

from numerai_predict.contract.training_errors import TrainingBusy
from numerai_predict.training.checkpoints import Checkpoints

FACTS = {"seed": 42, "parameters": {"num_leaves": 8}, "eras": [1, 2]}


@pytest.fixture
def checkpoints(tmp_path):
    found = Checkpoints(tmp_path / "checkpoints")
    found.folder.mkdir()
    return found


def test_what_was_put_is_got_again(checkpoints):
    assert checkpoints.get("final seed 42", FACTS) is None
    checkpoints.put("final seed 42", FACTS, {"rounds": 7}, b"tree\nend\n")
    stored = checkpoints.get("final seed 42", FACTS)
    assert (stored.result, stored.body) == ({"rounds": 7}, b"tree\nend\n")


@pytest.mark.parametrize(
    "change",
    [{"seed": 43}, {"parameters": {"num_leaves": 9}}, {"eras": [1, 2, 3]}, {"more": None}],
)
def test_any_changed_fact_makes_it_other_work(checkpoints, change):
    checkpoints.put("final", FACTS, {}, b"model")
    assert checkpoints.get("final", {**FACTS, **change}) is None


def test_it_says_what_changed(checkpoints):
    checkpoints.put("final", FACTS, {}, b"model")
    changes = checkpoints.changes("final", {**FACTS, "parameters": {"num_leaves": 9}})
    assert changes == ["parameters.num_leaves was 8, is 9"]
    assert checkpoints.changes("window-1", FACTS) == []


@pytest.mark.parametrize("harm", [lambda bytes_: bytes_[:-1], lambda bytes_: bytes_[5:]])
def test_a_damaged_file_is_no_result(checkpoints, harm):
    checkpoints.put("final", FACTS, {}, b"model")
    (path,) = checkpoints.folder.iterdir()
    path.write_bytes(harm(path.read_bytes()))
    assert checkpoints.get("final", FACTS) is None


def test_two_trainings_keep_apart_and_a_killed_ones_parts_go(checkpoints):
    part = checkpoints.folder / ".final.part"
    part.touch()
    with checkpoints.locked():
        assert not part.exists()
        with pytest.raises(TrainingBusy), checkpoints.locked():
            pass
    with checkpoints.locked():
        assert [path.name for path in checkpoints.folder.iterdir()] == [".lock"]


def test_a_label_may_hold_anything(checkpoints):
    checkpoints.put("../window 1/target", FACTS, {}, b"model")
    assert checkpoints.get("../window 1/target", FACTS).body == b"model"
    assert len(list(checkpoints.folder.iterdir())) == 1
