"""How often the intervals of scores hold the true value, and how often noise looks like skill.

Also what the best of several models of noise looks like, how often a report claims skill of noise,
how many models stay inside a band, and which overlap the data show.

python bench/simulations.py [SERIES]
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import results
from numpy.typing import NDArray

from numerai_predict.scoring.bands import cumulative_band
from numerai_predict.scoring.intervals import (
    MIN_EFFECTIVE_ERAS,
    Interval,
    effective_eras,
    mean_interval,
    sharpe_interval,
)
from numerai_predict.scoring.overlap_estimate import (
    OverlapEstimate,
    OverlapFinding,
    estimate_overlap,
)
from numerai_predict.scoring.score_summary import above_zero, summarize, summarize_best_of

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
    yield "how often the interval of its mean lies above 0 alone, and as that of the best. Holds:"
    yield "how often the interval of the best holds the truth, for the mean and the Sharpe ratio,"
    yield "and for the mean of models with a correlation of 0.9."
    yield ""
    yield (
        "| eras | overlap | t | mean | left | false skill, alone | of the best | holds | Sharpe | "
        "alike |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for eras in ERAS:
        for overlap in OVERLAPS:
            found = [_best(group, overlap) for group in _groups(series, eras, overlap, 0.0)]
            alike = [_best(group, overlap) for group in _groups(series, eras, overlap, 0.9)]
            columns = [np.mean([getattr(each, name) for each in found]) for name in _BEST]
            figures = " | ".join(f"{each:.3f}" for each in columns)
            same = np.mean([each.holds for each in alike])
            yield f"| {eras} | {overlap} | {figures} | {same:.3f} |"


class _Best(NamedTuple):
    """What the best of a group looks like."""

    t: float
    mean: float
    left: float
    alone_above: bool
    above: bool
    holds: bool
    sharpe_holds: bool


_BEST = _Best._fields


def _groups(series: int, eras: int, overlap: int, alike: float) -> Iterator[NDArray[np.float64]]:
    """Groups of models with mean 0, shape (models, eras); `alike` is their correlation."""
    table = scores((LOOKS + 1) * series, eras, overlap, 0.5).reshape(series, LOOKS + 1, eras)
    for group in table:
        yield math.sqrt(alike) * group[0] + math.sqrt(1 - alike) * group[1:]


def _best(group: NDArray[np.float64], overlap: int) -> _Best:
    values = group[group.mean(axis=1).argmax()]
    names = [f"{era:04d}" for era in range(len(values))]
    alone = summarize(pd.Series(values, names), overlap)
    best = summarize_best_of(pd.Series(values, names), overlap, LOOKS)
    t = float(values.mean() / values.std(ddof=1) * math.sqrt(len(values)))
    mean, sharpe = best.mean_interval, best.sharpe_interval
    return _Best(
        t,
        float(values.mean()),
        best.mean or 0.0,
        alone.mean_interval is not None and alone.mean_interval.low > 0,
        mean is not None and mean.low > 0,
        mean is not None and mean.low <= 0 <= mean.high,
        sharpe is not None and sharpe.low <= 0 <= sharpe.high,
    )


def first_sentence(series: int) -> Iterator[str]:
    """How often a report claims skill of a model of noise, as the lines of a table."""
    yield f"How often the first sentence of a report claims skill of noise, in {series} reports of"
    yield "three scores (CORR, MMC, BMC) with this correlation, for the first model and the third;"
    yield "at most 4 % are allowed. Any: how often one of the three intervals lies above 0."
    yield ""
    yield "| eras | overlap | correlation | claimed | of 3 models, any | any interval |"
    yield "|---|---|---|---|---|---|"
    for eras in ERAS:
        for overlap in OVERLAPS:
            for correlation in (0.5, 0.95):
                models = [_three(group, correlation) for group in _fours(series, eras, overlap)]
                first = [bool(above_zero(each, overlap)) for each in models]
                third = [bool(above_zero(each, overlap, 3)) for each in models]
                of_three = [any(third[at : at + 3]) for at in range(0, len(third) - 2, 3)]
                alone = [
                    any(_above(values.to_numpy(), overlap) for values in each.values())
                    for each in models
                ]
                cells = " | ".join(f"{np.mean(each):.3f}" for each in (first, of_three, alone))
                yield f"| {eras} | {overlap} | {correlation} | {cells} |"


def _above(values: NDArray[np.float64], overlap: int) -> bool:
    interval = mean_interval(values, overlap)
    return interval is not None and interval.low > 0


def _fours(series: int, eras: int, overlap: int) -> NDArray[np.float64]:
    return scores(4 * series, eras, overlap, 0.5).reshape(series, 4, eras)


def _three(group: NDArray[np.float64], correlation: float) -> dict[str, pd.Series[float]]:
    """Three scores of one model with this correlation, by name."""
    mixed = math.sqrt(correlation) * group[0] + math.sqrt(1 - correlation) * group[1:]
    names = [f"{era:04d}" for era in range(group.shape[1])]
    return {f"score {at}": pd.Series(values, names) for at, values in enumerate(mixed)}


def bands(series: int) -> Iterator[str]:
    """How many models are inside the band on other eras, as the lines of a table."""
    yield f"How many of {series} models are inside the band of a cumulative score on other eras, at"
    yield "its last era and in the middle. Rolling: how often the interval of a rolling mean holds"
    yield "the truth, over half of the eras, 52 at most; a dash for fewer than 4 effective eras."
    yield ""
    yield "| eras | overlap | own noise | band, last | middle | rolling |"
    yield "|---|---|---|---|---|---|"
    for eras in ERAS:
        for overlap in OVERLAPS:
            for own in (0.0, 0.5):
                table = scores(2 * series, eras, overlap, own)
                found = [
                    _inside(these, other.cumsum(), overlap)
                    for these, other in zip(table[:series], table[series:], strict=True)
                ]
                last, middle = np.mean(found, axis=0)
                window = min(52, eras // 2)
                rolling = "-"
                if effective_eras(window, overlap) >= MIN_EFFECTIVE_ERAS:
                    rolling = f"{coverage(mean_interval, table[:, -window:], overlap):.3f}"
                yield (
                    f"| {eras} | {overlap} | {own:.0%} | {last:.3f} | {middle:.3f} | {rolling} |"
                )


def _inside(
    values: NDArray[np.float64], sums: NDArray[np.float64], overlap: int
) -> tuple[bool, bool]:
    """Whether the sums are inside the band of the values, at the end and in the middle."""
    band = cumulative_band(values, overlap)
    if band is None:
        return False, False
    low, high = band
    last, middle = (bool(low[at] <= sums[at] <= high[at]) for at in (-1, len(sums) // 2))
    return last, middle


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
    parts = (
        intervals(series),
        bands(series),
        best_of(series // 2),
        first_sentence(series),
        overlaps(series // 20),
    )
    lines = [line for part in parts for line in (*part, "")]
    results.keep("Intervals of scores whose targets overlap (`make simulations`)", lines[:-1])


if __name__ == "__main__":
    main()
