"""The embargo is as long as the longest overlap of the targets, by names, settings and data."""

import pytest

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.scoring.overlap_estimate import OverlapEstimate, OverlapFinding
from numerai_predict.training.embargo import choose_embargo, training_overlaps

NONE = OverlapEstimate(OverlapFinding.NONE_SHOWN)
TOO_FEW = OverlapEstimate(OverlapFinding.TOO_FEW_ERAS)


def shown(overlap):
    return OverlapEstimate(OverlapFinding.FOUND, overlap, overlap)


def embargo(*targets, setting=None, horizons=None, estimate=NONE, force=False):
    """The embargo that is chosen for the targets, whose data show the estimate."""
    horizons = horizons or {}
    overlaps = training_overlaps(targets, horizons, dict.fromkeys(targets, estimate))
    return choose_embargo(setting, overlaps, horizons, force=force)


@pytest.fixture
def logged(caplog):
    caplog.set_level("INFO", logger="numerai_predict")
    return lambda: caplog.text


@pytest.mark.parametrize("estimate", [NONE, TOO_FEW])
@pytest.mark.parametrize(
    ("target", "eras"), [("target", 4), ("target_ender_20", 4), ("target_ender_60", 12)]
)
def test_a_target_of_the_tournament_names_its_horizon(target, eras, estimate, logged):
    assert embargo(target, estimate=estimate) == eras
    assert logged() == ""


def test_the_longest_horizon_counts():
    assert embargo("target", "target_ender_60") == 12


def test_a_target_without_days_in_its_name_is_an_error():
    with pytest.raises(BadConfiguration, match="target_mine") as caught:
        embargo("target_mine")
    assert "horizons: {target_mine: 20}" in caught.value.remedy
    assert embargo("target_mine", horizons={"target_mine": 21}) == 5


@pytest.mark.parametrize("estimate", [NONE, TOO_FEW])
@pytest.mark.parametrize("target", ["target_mine_1", "target_mine_5", "target_2"])
def test_no_name_removes_the_embargo(target, estimate, logged):
    assert embargo(target, estimate=estimate) == 12
    assert f"{target}: targets of 12 neighbouring eras count as overlapping" in logged()
    assert f"`horizons: {{{target}: " in logged()
    assert str(estimate) in logged()


@pytest.mark.parametrize("target", ["target", "target_ender_20", "target_mine_1"])
def test_what_the_data_show_makes_the_embargo_longer_and_is_said(target, logged):
    assert embargo(target, estimate=shown(12)) == 12
    assert (
        f"{target}: targets of 12 neighbouring eras count as overlapping, by the data" in logged()
    )


def test_a_setting_that_the_data_do_not_contradict_is_followed_and_said(logged):
    assert embargo("target_mine_1", horizons={"target_mine_1": 1}) == 1
    assert "by the setting of its horizon; the data show no overlap" in logged()


@pytest.mark.parametrize("estimate", [NONE, TOO_FEW, shown(4)])
def test_an_embargo_as_long_as_the_targets_look_ahead_is_allowed(estimate, logged):
    assert embargo("target_ender_20", setting=4, estimate=estimate) == 4
    assert embargo("target_ender_20", setting=5, estimate=estimate) == 5
    assert logged() == ""


SHORT = [
    (
        {"setting": 3},
        "target_ender_20",
        "an embargo of at least 4 eras, the horizon of target_ender_20, found 3",
    ),
    (
        {"setting": 4, "horizons": {"target_ender_20": 5}},
        "target_ender_20",
        "at least 20 days for target_ender_20, as its name says, found 5",
    ),
    (
        {"setting": 1, "estimate": shown(4)},
        "target_mine_1",
        "at least 4 eras for target_mine_1, as the data show",
    ),
    (
        {"horizons": {"target_mine_1": 1}, "estimate": shown(12)},
        "target_mine_1",
        "at least 12 eras for target_mine_1, as the data show",
    ),
    (
        {"setting": 1, "estimate": TOO_FEW},
        "target_mine_1",
        "an embargo of at least 12 eras, the horizon of target_mine_1, found 1",
    ),
]


@pytest.mark.parametrize(("facts", "target", "reason"), SHORT)
def test_a_shorter_embargo_is_refused_without_force(facts, target, reason, logged):
    with pytest.raises(BadConfiguration, match=reason) as caught:
        embargo(target, **facts)
    assert "--force" in caught.value.remedy
    forced = embargo(target, **facts, force=True)
    assert forced <= facts.get("setting", 1)
    assert reason in logged()
    assert "the scores may be inflated" in logged()
