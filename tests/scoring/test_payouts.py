"""A payout is a clipped, weighted sum of scores."""

import pytest

from numerai_predict.scoring.payouts import payout_shares

pytestmark = pytest.mark.unit
MULTIPLIERS = {"corr": 0.75, "mmc": 2.25}


def test_each_score_pays_by_its_multiplier_and_the_factor():
    shares = payout_shares({"corr": 0.04, "mmc": -0.01, "bmc": 9.0}, MULTIPLIERS, 0.5)
    assert shares == pytest.approx({"corr": 0.015, "mmc": -0.01125})


@pytest.mark.parametrize(("sign", "expected"), [(1, 0.05), (-1, -0.05)])
def test_the_sum_is_clipped_at_five_percent(sign, expected):
    shares = payout_shares({"corr": sign * 0.2, "mmc": sign * 0.1}, MULTIPLIERS, 1.0)
    assert sum(shares.values()) == pytest.approx(expected)
    assert shares["mmc"] / shares["corr"] == pytest.approx(1.5)


def test_a_missing_score_pays_nothing():
    assert payout_shares({}, MULTIPLIERS, 1.0) == {"corr": 0.0, "mmc": 0.0}
