"""One function decides how many eras overlap: by name, setting and data."""

import pytest

from numerai_predict.scoring.overlap_estimate import OverlapEstimate, OverlapFinding
from numerai_predict.scoring.target_overlap import OverlapSource, decide_overlap

NONE = OverlapEstimate(OverlapFinding.NONE_SHOWN)
TOO_FEW = OverlapEstimate(OverlapFinding.TOO_FEW_ERAS)
UNKNOWN = ["target_mine", "target_mine_1", "target_mine_5", "target_mine_45"]


def shown(least, most=None):
    return OverlapEstimate(OverlapFinding.FOUND, least, most or least)


def decided(target, estimate, days=None):
    found = decide_overlap(target, estimate, days)
    return found.eras, found.source


@pytest.mark.parametrize("estimate", [NONE, TOO_FEW, shown(2), shown(3, 4)])
@pytest.mark.parametrize(
    ("target", "eras"), [("target", 4), ("target_ender_20", 4), ("target_ender_60", 12)]
)
def test_a_horizon_of_the_tournament_in_the_name_counts(target, eras, estimate):
    assert decided(target, estimate) == (eras, OverlapSource.NAME)


@pytest.mark.parametrize("target", ["target", "target_ender_20", *UNKNOWN])
def test_a_longer_overlap_in_the_data_counts_whatever_the_name_says(target):
    assert decided(target, shown(12)) == (12, OverlapSource.DATA)
    assert decided(target, shown(12), 5) == (12, OverlapSource.DATA)


@pytest.mark.parametrize("estimate", [NONE, TOO_FEW])
@pytest.mark.parametrize("target", UNKNOWN)
def test_an_unknown_horizon_counts_as_the_longest_where_the_data_show_nothing(target, estimate):
    found = decide_overlap(target, estimate)
    assert (found.eras, found.source) == (12, OverlapSource.LONGEST_HORIZON)
    assert found.is_guess
    assert "because its own is unknown" in str(found)
    assert str(estimate) in str(found)


@pytest.mark.parametrize("target", UNKNOWN[:3])
def test_of_an_unknown_horizon_the_data_decide_and_the_longer_end_counts(target):
    assert decided(target, shown(4, 5)) == (5, OverlapSource.DATA)


def test_a_number_in_a_name_cannot_make_an_overlap_shorter_but_longer():
    assert decided("target_mine_90", NONE) == (18, OverlapSource.NAME)
    assert decided("target_mine_45", shown(4)) == (9, OverlapSource.NAME)


@pytest.mark.parametrize("estimate", [NONE, TOO_FEW])
def test_a_setting_says_what_a_name_does_not(estimate):
    assert decided("target_mine_1", estimate, 1) == (1, OverlapSource.SETTING)
    assert decided("target_mine", estimate, 30) == (6, OverlapSource.SETTING)
    assert decided("target_ender_60", estimate, 20) == (12, OverlapSource.NAME)
    assert decided("target_ender_20", estimate, 60) == (12, OverlapSource.SETTING)


def test_the_entry_of_a_report_has_number_source_and_sentence():
    entry = decide_overlap("target_mine", shown(4)).as_entry()
    assert (entry["eras"], entry["source"]) == (4, "data")
    assert "4 neighbouring eras" in entry["meaning"]
