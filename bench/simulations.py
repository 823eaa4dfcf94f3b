"""How often the intervals of scores hold the true value, and how often noise looks like skill.

Also what the best of several models of noise looks like, and which overlap the data show.

python bench/simulations.py [SERIES]
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import results
from numpy.typing import NDArray

from numerai_predict.scoring.intervals import (
    Interval,
    mean_interval,
    sharpe_interval,
)
from numerai_predict.scoring.overlap_estimate import (
    OverlapEstimate,
    OverlapFinding,
    estimate_overlap,
)
from numerai_predict.scoring.score_summary import summarize, summarize_best_of

ERAS, OVERLAPS = (52, 150), (1, 4, 12)
LOOKS, FEATURES = 8, 24
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


def intervals(series: int) -> Iterator[str]:
    """Coverage and false skill of the intervals, as the lines of a table."""
    yield f"{series} series each. Mean, Sharpe: how often their interval of 95 % holds the truth."
    yield "False skill: how often that of noise lies above 0 (2.5 % expected). Naive: mean plus and"
    yield "minus 1.96 standard errors, as if eras were independent."
    yield ""
    yield "| eras | overlap | own noise | mean | Sharpe | naive | false skill | naive |"
    yield "|---|---|---|---|---|---|---|---|"
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
                yield f"| {eras} | {overlap} | {own:.0%} | {cells} |"


def best_of(series: int) -> Iterator[str]:
    """What the best of eight models of noise looks like, as the lines of a table."""
    yield f"The best of {LOOKS} models of noise, in {series} groups. t: the usual one of its mean."
    yield "Left: its mean less what luck reaches, in standard deviations of an era. False skill:"
    yield "how often the interval of its mean lies above 0, and that of what is left."
    yield ""
    yield "| eras | overlap | t | false skill, alone | of what is left | mean | left |"
    yield "|---|---|---|---|---|---|---|"
    for eras in ERAS:
        for overlap in OVERLAPS[:2]:
            groups = scores(LOOKS * series, eras, overlap, 0.5).reshape(series, LOOKS, eras)
            table = np.array([group[group.mean(axis=1).argmax()] for group in groups])
            names = [f"{era:04d}" for era in range(eras)]
            found = [
                (
                    summarize(pd.Series(each, names), overlap).mean_interval,
                    summarize_best_of(pd.Series(each, names), overlap, LOOKS),
                )
                for each in table
            ]
            alone = np.mean([interval is not None and interval.low > 0 for interval, _ in found])
            left_above = np.mean(
                [best.mean_interval is not None and best.mean_interval.low > 0 for _, best in found]
            )
            left = np.mean([best.mean or 0.0 for _, best in found])
            t = np.mean(table.mean(axis=1) / table.std(axis=1, ddof=1)) * math.sqrt(eras)
            yield (
                f"| {eras} | {overlap} | {t:.1f} | {alone:.3f} | {left_above:.3f} | "
                f"{table.mean():.3f} | {left:+.3f} |"
            )


def overlaps(series: int) -> Iterator[str]:
    """Which overlap is estimated from the data, as the lines of a table."""
    yield f"The overlap estimated from the correlations with {FEATURES} features of {series} data"
    yield "sets. Noise: of each era, in standard deviations of the shared part. Market: a part that"
    yield "changes slowly. Right: the true overlap is in the range that is found. Too long refuses"
    yield "an honest embargo, too short or none leaves the one of the name."
    yield ""
    yield "| eras | overlap | noise | market | right | too long | too short | none found |"
    yield "|---|---|---|---|---|---|---|---|"
    for eras in (72, 150, 300, 600):
        for overlap in OVERLAPS:
            for noise, market in ((0.7, 0.0), (0.7, 1.0), (2.0, 0.0)):
                found = Counter(
                    _judged(
                        estimate_overlap(range(eras), loadings(eras, overlap, noise, market, seed)),
                        overlap,
                    )
                    for seed in range(series)
                )
                shares = " | ".join(
                    f"{found[each] / series:.3f}" for each in ("right", "long", "short", "none")
                )
                yield f"| {eras} | {overlap} | {noise} | {market} | {shares} |"


def _judged(estimate: OverlapEstimate, overlap: int) -> str:
    """What an estimate is worth; where there is no overlap, none is the right one."""
    if estimate.finding is not OverlapFinding.FOUND:
        return "right" if overlap == 1 else "none"
    if estimate.least > overlap:
        return "long"
    return "short" if estimate.most < overlap else "right"


def loadings(
    eras: int, overlap: int, noise: float, market: float, seed: int
) -> NDArray[np.float64]:
    """Correlations of a target with features, but for their scale, shape (eras, features)."""
    random = np.random.default_rng([seed, eras, overlap])
    shocks = random.standard_normal((eras + overlap, FEATURES))
    sums = np.sum([shocks[first : first + eras] for first in range(overlap)], axis=0)
    state, states = random.standard_normal(FEATURES), []
    for _ in range(eras):
        state = 0.97 * state + math.sqrt(1 - 0.97**2) * random.standard_normal(FEATURES)
        states.append(state)
    own = noise * random.standard_normal((eras, FEATURES))
    return sums / math.sqrt(overlap) + own + market * np.array(states)


def main() -> None:
    """Simulate, print and store the results."""
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    parts = (intervals(series), best_of(series // 4), overlaps(series // 20))
    lines = [line for part in parts for line in (*part, "")]
    results.keep("Intervals of scores whose targets overlap (`make simulations`)", lines[:-1])


if __name__ == "__main__":
    main()
