"""The embargo follows from the horizons of the targets."""

import pytest

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.embargo import check_embargo, embargo_eras, target_horizon_days


@pytest.mark.parametrize(
    ("target", "days", "embargo"),
    [("target", 20, 4), ("target_ender_20", 20, 4), ("target_ender_60", 60, 12)],
)
def test_a_target_names_its_horizon(target, days, embargo):
    assert target_horizon_days(target, {}) == days
    assert embargo_eras([target], {}) == embargo


def test_the_longest_horizon_counts():
    assert embargo_eras(["target", "target_ender_60"], {}) == 12


def test_a_target_without_days_in_its_name_is_an_error():
    with pytest.raises(BadConfiguration, match="target_mine") as caught:
        embargo_eras(["target_mine"], {})
    assert "horizons: {target_mine: 20}" in caught.value.remedy
    assert embargo_eras(["target_mine"], {"target_mine": 21}) == 5


def test_a_setting_cannot_make_a_horizon_shorter_than_its_name():
    assert target_horizon_days("target_ender_60", {"target_ender_60": 20}) == 60
    assert target_horizon_days("target_ender_20", {"target_ender_20": 60}) == 60


def check(embargo, horizons=None, estimate=None, target="target_ender_20", force=False):
    check_embargo(embargo, horizons or {}, {target: estimate}, force=force)


@pytest.mark.parametrize("estimate", [None, 1, 4])
def test_an_embargo_as_long_as_the_targets_look_ahead_is_allowed(estimate, caplog):
    check(4, estimate=estimate)
    check(5, estimate=estimate)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"embargo": 3}, "an embargo of at least 4 eras, the horizon of target_ender_20, found 3"),
        (
            {"embargo": 4, "horizons": {"target_ender_20": 5}},
            "at least 20 days for target_ender_20, as its name says, found 5",
        ),
        (
            {"embargo": 1, "target": "target_mine_1", "estimate": 4},
            "at least 4 eras for target_mine_1, as the data show",
        ),
    ],
)
def test_a_shorter_embargo_is_refused_without_force(facts, reason, caplog):
    with pytest.raises(BadConfiguration, match=reason) as caught:
        check(**facts)
    assert "--force" in caught.value.remedy
    with caplog.at_level("INFO", logger="numerai_predict"):
        check(**facts, force=True)
    assert reason in caplog.text
    assert "the scores may be inflated" in caplog.text
