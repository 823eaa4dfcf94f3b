"""The payout of a round: what its scores earn or burn of a stake."""

from __future__ import annotations

from collections.abc import Mapping

CLIP = 0.05
CORR_MULTIPLIER, MMC_MULTIPLIER = 0.75, 2.25


def payout_shares(
    scores: Mapping[str, float], multipliers: Mapping[str, float], factor: float
) -> dict[str, float]:
    """What each score pays (negative: burns), as a share of the stake.

    The sum is the round's payout, from -0.05 to 0.05; a sum beyond that shrinks all shares alike.
    `scores` and `multipliers` are by the scores' names in the tournament's API; a score without a
    multiplier is not paid, a missing one counts as 0.

    Source: docs.numer.ai, staking: stake * clip(payout_factor * (corr * corr_multiplier +
    mmc * mmc_multiplier), -0.05, 0.05).
    """
    shares = {name: factor * each * scores.get(name, 0.0) for name, each in multipliers.items()}
    excess = max(1.0, abs(sum(shares.values())) / CLIP)
    return {name: share / excess for name, share in shares.items()}
