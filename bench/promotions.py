"""How often `registry promote` lets an equal model through, and how often a better one.

python bench/promotions.py [PAIRS]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import results
from simulations import scores

from numerai_predict.diagnostics.promotion_rule import PromotionRule, Requirement

DEVIATION = 0.008  # of the differences of CORR of two models in an era
GAIN = 0.002  # a real one, in CORR
ERAS = (52, 150, 300)


def differences(pairs: int, eras: int, overlap: int, gain: float) -> Iterator[pd.Series[float]]:
    """The differences of pairs of models by era, with the gain as mean."""
    names = [f"{number:04d}" for number in range(1, eras + 1)]
    for values in scores(pairs, eras, overlap, 0.5 if overlap > 1 else 0.0):
        yield pd.Series(gain + DEVIATION * values, names)


def share(rule: PromotionRule, pairs: int, eras: int, overlap: int, gain: float) -> float:
    """How many of the pairs the rule allows."""
    found = [rule.allows(each, overlap) for each in differences(pairs, eras, overlap, gain)]
    return float(np.mean(found))


def main() -> None:
    """Simulate, print and store the results."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    lines = [
        f"{pairs} pairs of models each; an era's difference of CORR has a standard deviation of "
        f"{DEVIATION}.",
        f"Equal: both have the same skill. Better: the first gains {GAIN} of CORR. Worse: it loses "
        "as much.",
        "",
        "| requirement | eras | overlap | equal, promoted | better, promoted | worse, promoted |",
        "|---|---|---|---|---|---|",
    ]
    for requirement in Requirement:
        rule = PromotionRule(requirement)
        for eras in ERAS:
            for overlap in (1, 4):
                shares = [share(rule, pairs, eras, overlap, gain) for gain in (0.0, GAIN, -GAIN)]
                figures = " | ".join(f"{each:.1%}" for each in shares)
                lines.append(f"| {requirement.value} | {eras} | {overlap} | {figures} |")
    results.keep("Promotions of equal and of better models (`make simulations`)", lines)


if __name__ == "__main__":
    main()
