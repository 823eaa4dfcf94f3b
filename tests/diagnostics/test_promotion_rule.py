"""A version replaces the one in production only if the differences by era show enough."""

import numpy as np
import pandas as pd
import pytest

from numerai_predict.diagnostics.promotion_rule import PromotionRule, Requirement

BETTER, NOT_WORSE = Requirement.BETTER, Requirement.NOT_WORSE


def differences(mean, eras=100, seed=1):
    noise = np.random.default_rng(seed).normal(0, 0.01, eras)
    names = [f"{number:04d}" for number in range(1, eras + 1)]
    return pd.Series(mean + noise - noise.mean(), names)


@pytest.mark.parametrize(
    ("mean", "requirement", "allowed"),
    [
        (0.005, BETTER, True),
        (0.0, BETTER, False),
        (-0.005, BETTER, False),
        (0.005, NOT_WORSE, True),
        (0.0, NOT_WORSE, True),
        (-0.005, NOT_WORSE, False),
    ],
)
def test_the_interval_of_the_mean_difference_decides(mean, requirement, allowed):
    assert PromotionRule(requirement).allows(differences(mean), 1) is allowed


def test_less_confidence_needs_less_evidence():
    slight = differences(0.0015)
    assert not PromotionRule(BETTER, 0.95).allows(slight, 1)
    assert PromotionRule(BETTER, 0.5).allows(slight, 1)


def test_overlapping_targets_are_worth_fewer_eras():
    overlapping = differences(0).rolling(4).mean().dropna()  # as weekly targets of 20 days are
    overlapping += 0.0015 - overlapping.mean()
    assert PromotionRule(BETTER).allows(overlapping, 1)
    assert not PromotionRule(BETTER).allows(overlapping, 4)


def test_too_few_eras_show_neither():
    few = differences(0.005, eras=3)
    assert not PromotionRule(BETTER).allows(few, 1)
    assert PromotionRule(NOT_WORSE).allows(few, 1)


def test_eras_without_a_difference_are_skipped():
    gaps = differences(0.005)
    gaps.iloc[::3] = np.nan
    assert PromotionRule(BETTER).allows(gaps, 1)
    assert not PromotionRule(BETTER).allows(gaps * np.nan, 1)


def test_equal_models_are_rarely_promoted_and_a_real_gain_often_is():
    rule, random = PromotionRule(), np.random.default_rng(7)
    names = [f"{number:04d}" for number in range(1, 151)]

    def promoted(gain):
        pairs = (pd.Series(random.normal(gain, 0.008, 150), names) for _ in range(400))
        return np.mean([rule.allows(each, 1) for each in pairs])

    assert promoted(0.0) <= 0.05
    assert promoted(0.002) >= 0.80
