"""The record of looks at a holdout."""

import json

import pytest

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.storage.holdout_looks import Holdout, LookRecord, describe_looks

pytestmark = pytest.mark.unit

MARKS = {"row1": "t1", "row2": "t2"}
HOLDOUT = Holdout(["https://server v5.2", "0123"], "target", 900, 951, MARKS)


@pytest.fixture
def record(tmp_path):
    return LookRecord(tmp_path / "state")


def test_nothing_was_looked_at_before_the_first_look(record):
    assert record.count(HOLDOUT) == 0


def test_each_model_counts_once(record):
    assert [record.add(HOLDOUT, model) for model in "aabac"] == [1, 1, 2, 2, 3]
    assert record.count(HOLDOUT) == 3
    assert len(record.path.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("other", "shares"),
    [
        (Holdout(["https://server v5.2"], "target", 951, 1002), True),
        (Holdout(["other", "0123"], "target", 848, 900), True),
        (Holdout(["https://server v5.2"], "target", 952, 1003), False),
        (Holdout(["https://server v5.2"], "target", 800, 899), False),
        (Holdout(["https://server v5.3"], "target", 900, 951), False),
        (Holdout(["https://server v5.2"], "target_ender_60", 900, 951), False),
        (Holdout(["https://server v5.2"], "target_ender_20", 900, 951), True),
        (Holdout([], "target", 1, 9, {"row1": "t7"}), True),
        (Holdout([], "target_ender_20", 1, 9, {"row1": "t7"}), True),
        (Holdout([], "target_mine", 1, 9, {"row1": "t1"}), True),
        (Holdout([], "target_mine", 1, 9, {"row1": "t7", "row2": "t2"}), True),
        (Holdout([], "target_mine", 1, 9, {"row1": "t7", "row2": "t8"}), False),
        (Holdout([], "target", 900, 951, {"row3": "t1"}), False),
    ],
)
def test_a_look_counts_for_every_holdout_that_shares_eras_of_the_same_data(record, other, shares):
    record.add(HOLDOUT, "a")
    assert record.count(other) == shares
    assert record.add(other, "b") == 1 + shares


def test_a_line_that_was_cut_off_loses_no_other(record):
    record.add(HOLDOUT, "a")
    with open(record.path, "a") as file:
        file.write('{"time": "2026-')
    assert record.add(HOLDOUT, "b") == 2
    assert record.count(HOLDOUT) == 2


def test_a_line_of_an_older_version_has_no_marks_and_counts(record):
    record.add(HOLDOUT, "a")
    look = json.loads(record.path.read_text())
    del look["marks"]
    record.path.write_text(json.dumps(look) + "\n")
    assert record.count(HOLDOUT) == 1


@pytest.mark.parametrize("line", ["[]", "7", "null", '{"data": 3}', "[" * 100_000, "\udcff"])
def test_lines_that_are_no_look_are_skipped(record, line):
    record.add(HOLDOUT, "a")
    with open(record.path, "a", errors="surrogateescape") as file:
        file.write(line + "\n")
    assert record.add(HOLDOUT, "b") == 2


def test_a_line_names_the_data_eras_target_and_model(record):
    record.add(HOLDOUT, "a")
    look = json.loads(record.path.read_text())
    assert look.pop("time").endswith("Z")
    assert look == {
        "data": ["https://server v5.2", "0123"],
        "target": "target",
        "first": 900,
        "last": 951,
        "marks": MARKS,
        "model": "a",
    }


def test_a_look_that_cannot_be_recorded_is_an_error(tmp_path):
    (tmp_path / "state").write_text("a file where a directory should be")
    with pytest.raises(SaveFailed, match="record of looks at holdouts"):
        LookRecord(tmp_path / "state").add(HOLDOUT, "a")


def test_a_record_that_cannot_be_read_is_an_error(record):
    record.path.mkdir(parents=True)
    with pytest.raises(SaveFailed, match="cannot be read"):
        record.count(HOLDOUT)


def test_the_number_of_looks_is_described():
    assert (
        describe_looks(None, "these eras", corrected=False) == "looks at these eras are not counted"
    )
    assert describe_looks(1, "eras 0001 to 0052", corrected=False) == (
        "first look at eras 0001 to 0052"
    )
    assert "'best of 3' corrects a score" in describe_looks(3, "these eras", corrected=True)
    assert "too few to tell" in describe_looks(3, "these eras", corrected=False)
