"""How often the intervals of scores hold the true value, and how often noise looks like skill.

python bench/simulations.py [SERIES]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import results
from numpy.typing import NDArray

from numerai_predict.scoring.intervals import Interval, mean_interval, sharpe_interval

ERAS, OVERLAPS = (52, 150), (1, 4, 12)
TRUE_MEAN = 0.5  # of scores with standard deviation 1, so it is the true Sharpe ratio too
_Measure = Callable[[NDArray[np.float64], int], "Interval | None"]


def scores(series: int, eras: int, overlap: int, own: float) -> NDArray[np.float64]:
    """Scores with mean 0 and standard deviation 1, shape (series, eras).

    Each is a sum of `overlap` weekly shocks that neighbours share, and of noise of its own with the
    share `own` of the variance.
    """
    random = np.random.default_rng([eras, overlap])
    shocks = random.standard_normal((series, eras + overlap - 1))
    sums = np.sum([shocks[:, first : first + eras] for first in range(overlap)], axis=0)
    noise = random.standard_normal((series, eras))
    return math.sqrt(1 - own) * sums / math.sqrt(overlap) + math.sqrt(own) * noise


def naive(values: NDArray[np.float64], _overlap: int) -> Interval:
    """The usual interval of a mean, which takes all eras for independent."""
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    return Interval(values.mean() - half, values.mean() + half)


def coverage(measure: _Measure, table: NDArray[np.float64], overlap: int) -> float:
    """The share of intervals that hold the true value; both of Sharpe and mean are TRUE_MEAN."""
    found = [measure(TRUE_MEAN + values, overlap) for values in table]
    return float(np.mean([each is not None and each[0] <= TRUE_MEAN <= each[1] for each in found]))


def false_skill(measure: _Measure, table: NDArray[np.float64], overlap: int) -> float:
    """The share of intervals of pure noise that lie above 0."""
    found = [measure(values, overlap) for values in table]
    return float(np.mean([each is not None and each[0] > 0 for each in found]))


def main() -> None:
    """Simulate, print and store the results."""
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    lines = [
        f"{series} series each. Mean, Sharpe: how often their interval of 95 % holds the truth.",
        "False skill: how often that of noise lies above 0 (2.5 % expected). Naive: mean plus and",
        "minus 1.96 standard errors, as if eras were independent.",
        "",
        "| eras | overlap | own noise | mean | Sharpe | naive | false skill | naive |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for eras in ERAS:
        for overlap in OVERLAPS:
            for own in (0.0, 0.5):
                table = scores(series, eras, overlap, own)
                figures = [
                    coverage(measure, table, overlap)
                    for measure in (mean_interval, sharpe_interval, naive)
                ]
                figures += [
                    false_skill(measure, table, overlap) for measure in (mean_interval, naive)
                ]
                cells = " | ".join(f"{figure:.3f}" for figure in figures)
                lines.append(f"| {eras} | {overlap} | {own:.0%} | {cells} |")
    results.keep("Intervals of scores whose targets overlap (`make simulations`)", lines)


if __name__ == "__main__":
    main()
