"""Confidence intervals of the mean and the Sharpe ratio of scores whose targets overlap.

The variance of a mean of dependent scores comes from the lowest frequencies of the series: the
squares of its first cosine coefficients are averaged, and the interval uses Student's t with as
many degrees of freedom. Overlapping targets make the scores a moving sum of `overlap` eras, whose
spectrum falls with the frequency by a known factor: each square is divided by it. `make
simulations` measures the coverage.

Source: Lazarus, Lewis, Stock and Watson, "HAR Inference: Recommendations for Practice", Journal of
Business & Economic Statistics 36 (2018), for the cosine estimator (EWC) and its t distribution.
The Sharpe ratio's linear approximation is that of Lo, "The Statistics of Sharpe Ratios",
Financial Analysts Journal 58 (2002). The expected best of several models without skill is the
approximation of Bailey and Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio
Management 40 (2014), with quantiles of the t distribution.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

CONFIDENCE = 0.95
MIN_EFFECTIVE_ERAS = 4

# The share of the coefficients below the first zero of the moving sum's spectrum that are used.
_COEFFICIENTS = 0.8
# How often the lower end of an interval of the best may be above the truth: the upper end of
# independent models never fails, so that it may be more than 2.5 percent.
_BEST_OF_TAIL = 0.0325


class Interval(NamedTuple):
    """A confidence interval, of 95 percent where nothing else is said."""

    low: float
    high: float


def effective_eras(eras: int, overlap: int) -> float:
    """How many independent eras the scores of overlapping eras are worth."""
    return eras / overlap


def varies(scores: NDArray[np.float64]) -> bool:
    """Whether the scores differ; rounding of the mean may give equal ones a tiny deviation."""
    return len(scores) > 1 and bool(scores.std() > abs(scores.mean()) * 1e-12)


def mean_interval(
    scores: NDArray[np.float64], overlap: int, at_once: int = 1, confidence: float = CONFIDENCE
) -> Interval | None:
    """The interval of the mean of scores in order of time, shape (eras,).

    `overlap` is the number of neighbouring scores whose targets share time, 1 for independent
    ones. With `at_once` it holds for so many series together (Bonferroni). `None` if there are
    fewer than 4 effective eras.
    """
    return _interval(_mean_estimate(scores, overlap), at_once, confidence)


def standard_error(scores: NDArray[np.float64], overlap: int) -> float | None:
    """The standard error of the mean; see `mean_interval`."""
    estimate = _mean_estimate(scores, overlap)
    return estimate and estimate.error


def sharpe_interval(scores: NDArray[np.float64], overlap: int) -> Interval | None:
    """The interval of mean / standard deviation (ddof 0); see `mean_interval`.

    `None` also if the scores are equal.
    """
    return _interval(_sharpe_estimate(scores, overlap), 1, CONFIDENCE)


def deflated_mean(scores: NDArray[np.float64], overlap: int, looks: int) -> float | None:
    """The mean, less what the best of `looks` models without skill reaches on the same eras.

    The models count as independent, so that the result is too low rather than too high for
    settings that resemble each other. `None` if there are fewer than 4 effective eras.
    """
    return _deflated(_mean_estimate(scores, overlap), looks)


def deflated_sharpe(scores: NDArray[np.float64], overlap: int, looks: int) -> float | None:
    """The Sharpe ratio, less what the best of `looks` models without skill reaches.

    See `deflated_mean`; `None` also if the scores are equal.
    """
    return _deflated(_sharpe_estimate(scores, overlap), looks)


def best_of_mean_interval(scores: NDArray[np.float64], overlap: int, looks: int) -> Interval | None:
    """The interval of the mean of the best of `looks` models; that of one model for one look.

    Its lower end is that of the best of so many independent models, its upper end that of one, so
    that it holds the true mean of the best in 94 to 99 percent, however much the models resemble
    each other. `None` if there are fewer than 4 effective eras.
    """
    return _best_of_interval(_mean_estimate(scores, overlap), looks)


def best_of_sharpe_interval(
    scores: NDArray[np.float64], overlap: int, looks: int
) -> Interval | None:
    """That of the Sharpe ratio; see `best_of_mean_interval`.

    `None` also if the scores are equal.
    """
    return _best_of_interval(_sharpe_estimate(scores, overlap), looks)


class _Estimate(NamedTuple):
    """A value, its standard error and the degrees of freedom of its t distribution."""

    value: float
    error: float
    freedom: int


def _mean_estimate(scores: NDArray[np.float64], overlap: int) -> _Estimate | None:
    return _estimate(float(scores.mean()), scores, overlap) if len(scores) else None


def _sharpe_estimate(scores: NDArray[np.float64], overlap: int) -> _Estimate | None:
    if not varies(scores):
        return None
    standard = (scores - scores.mean()) / scores.std()
    sharpe = float(scores.mean() / scores.std())
    return _estimate(sharpe, standard - sharpe / 2 * (np.square(standard) - 1), overlap)


def _estimate(value: float, influences: NDArray[np.float64], overlap: int) -> _Estimate | None:
    """The estimate of a value that is the mean of its influences, but for a constant."""
    eras = len(influences)
    if effective_eras(eras, overlap) < MIN_EFFECTIVE_ERAS:
        return None
    count = min(eras - 1, int(_COEFFICIENTS * eras / overlap))
    frequencies = np.arange(1, count + 1) / (2 * eras)
    cosines = np.cos(2 * np.pi * np.outer(frequencies, np.arange(eras) + 0.5))
    squares = 2 / eras * np.square(cosines @ influences) / _moving_sum(frequencies, overlap)
    return _Estimate(value, math.sqrt(squares.mean() / eras), count)


def _interval(estimate: _Estimate | None, at_once: int, confidence: float) -> Interval | None:
    if estimate is None:
        return None
    quantile = float(stdtrit(estimate.freedom, 1 - (1 - confidence) / (2 * at_once)))
    half = quantile * estimate.error
    return Interval(estimate.value - half, estimate.value + half)


def _best_of_interval(estimate: _Estimate | None, looks: int) -> Interval | None:
    if estimate is None or looks == 1:
        return _interval(estimate, 1, CONFIDENCE)
    lower = float(stdtrit(estimate.freedom, (1 - _BEST_OF_TAIL) ** (1 / looks)))
    upper = float(stdtrit(estimate.freedom, (1 + CONFIDENCE) / 2))
    value, error = estimate.value, estimate.error
    return Interval(value - lower * error, value + upper * error)


def _deflated(estimate: _Estimate | None, looks: int) -> float | None:
    if estimate is None or looks == 1:
        return estimate and estimate.value
    quantiles = [stdtrit(estimate.freedom, 1 - 1 / (looks * share)) for share in (1, math.e)]
    best = (1 - np.euler_gamma) * quantiles[0] + np.euler_gamma * quantiles[1]
    return estimate.value - float(best) * estimate.error


def _moving_sum(frequencies: NDArray[np.float64], overlap: int) -> NDArray[np.float64]:
    """The spectrum of a moving sum of `overlap` independent values, 1 at frequency 0."""
    angles = np.pi * frequencies
    spectrum: NDArray[np.float64] = np.square(np.sin(overlap * angles) / (overlap * np.sin(angles)))
    return spectrum
