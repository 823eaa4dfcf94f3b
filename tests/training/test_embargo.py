"""The embargo follows from the horizons of the targets."""

import pytest

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.embargo import embargo_eras, target_horizon_days


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
