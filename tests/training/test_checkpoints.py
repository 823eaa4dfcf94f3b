"""Finished work is found by everything that determines it."""

import pytest

from numerai_predict.contract.training_errors import TrainingBusy
from numerai_predict.training.checkpoints import Checkpoints

FACTS = {"seed": 42, "parameters": {"num_leaves": 8}, "eras": [1, 2]}


@pytest.fixture
def checkpoints(tmp_path):
    found = Checkpoints(tmp_path / "checkpoints")
    found.directory.mkdir()
    return found


def test_stored_work_is_found_again(checkpoints):
    assert checkpoints.get("final seed 42", FACTS) is None
    checkpoints.put("final seed 42", FACTS, {"rounds": 7}, b"tree\nend\n")
    stored = checkpoints.get("final seed 42", FACTS)
    assert (stored.result, stored.body) == ({"rounds": 7}, b"tree\nend\n")


@pytest.mark.parametrize(
    "change",
    [{"seed": 43}, {"parameters": {"num_leaves": 9}}, {"eras": [1, 2, 3]}, {"more": None}],
)
def test_a_changed_fact_gives_another_key(checkpoints, change):
    checkpoints.put("final", FACTS, {}, b"model")
    assert checkpoints.get("final", {**FACTS, **change}) is None


def test_changed_facts_are_listed(checkpoints):
    checkpoints.put("final", FACTS, {}, b"model")
    changes = checkpoints.changes("final", {**FACTS, "parameters": {"num_leaves": 9}})
    assert changes == ["parameters.num_leaves was 8, is 9"]
    assert checkpoints.changes("window-1", FACTS) == []


@pytest.mark.parametrize("harm", [lambda bytes_: bytes_[:-1], lambda bytes_: bytes_[5:]])
def test_a_damaged_file_is_ignored(checkpoints, harm):
    checkpoints.put("final", FACTS, {}, b"model")
    (path,) = checkpoints.directory.iterdir()
    path.write_bytes(harm(path.read_bytes()))
    assert checkpoints.get("final", FACTS) is None


def test_the_directory_is_locked_and_parts_of_a_killed_training_are_removed(checkpoints):
    part = checkpoints.directory / ".final.part"
    part.touch()
    with checkpoints.locked():
        assert not part.exists()
        with pytest.raises(TrainingBusy), checkpoints.locked():
            pass
    with checkpoints.locked():
        assert [path.name for path in checkpoints.directory.iterdir()] == [".lock"]


def test_a_label_may_contain_any_character(checkpoints):
    checkpoints.put("../window 1/target", FACTS, {}, b"model")
    assert checkpoints.get("../window 1/target", FACTS).body == b"model"
    assert len(list(checkpoints.directory.iterdir())) == 1
