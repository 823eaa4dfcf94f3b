"""Estimates from the data how many neighbouring eras share the time of a target.

What the names of targets say may be wrong, and an embargo that is too short lets a model know the
targets of the eras that score it. Where targets share time, so do their correlations with the
features: those of an era are a moving sum, whose spectrum is known. It falls to zero at one cycle
per overlap. The spectrum of the correlations is fitted by three parts: noise of each era, a moving
sum, and a market that changes slowly (an autoregression). An overlap is found only if the moving
sum explains the data clearly better than noise and the slow market alone do: likelihood ratio
(Whittle) of all features together, which count as so many independent ones as their correlations
allow. `make simulations` measures how often it is right.

Source: Whittle, "Estimation and information in stationary time series" (1953), with cosine
coefficients; the fit is the multiplicative algorithm of Fevotte, Bertin and Durrieu,
"Nonnegative matrix factorization with the Itakura-Saito divergence" (2009).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MIN_ERAS = 48
LONGEST = 12  # the longest horizon of the tournament is 12 eras

# Twice the difference of the log-likelihoods.
_EVIDENCE = 15.0
# Overlaps that explain the data almost as well as the best one: an interval of about 95 percent.
_ALMOST = 4.0
_SLOW = (0.7, 0.8, 0.9, 0.94, 0.97, 0.985, 0.995)  # correlation of the market's next era
_STEPS = 300
_SMALLEST = 1e-12


class OverlapFinding(str, Enum):
    """What the data say about an overlap; none shown is no proof that there is none."""

    FOUND = "found"
    NONE_SHOWN = "none shown"
    TOO_FEW_ERAS = "too few eras"


@dataclass(frozen=True)
class OverlapEstimate:
    """How many neighbouring eras share time, from `least` to `most`; both 0 if none is found.

    Overlaps of more than 12 eras are found as 12.
    """

    finding: OverlapFinding
    least: int = 0
    most: int = 0

    def __str__(self) -> str:
        if self.finding is OverlapFinding.TOO_FEW_ERAS:
            return f"the data have too few eras to show an overlap ({MIN_ERAS} in succession)"
        if self.finding is OverlapFinding.NONE_SHOWN:
            return "the data show no overlap, which does not exclude one"
        span = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        return f"the data show that targets of {span} neighbouring eras move together"


TOO_FEW_ERAS = OverlapEstimate(OverlapFinding.TOO_FEW_ERAS)


def estimate_overlap(eras: Sequence[int], loadings: NDArray[np.float64]) -> OverlapEstimate:
    """The overlap that the data show.

    `eras` are era numbers, ascending. `loadings` are the correlations of the target with features,
    shape (eras, features), NaN where undefined; features without a value in every era are left out.
    """
    run, step = _longest_run(eras)
    table = loadings[run]
    table = table[:, np.isfinite(table).all(axis=0)]
    if len(table) < MIN_ERAS or not table.size or not (table.std(axis=0) > 0).any():
        return TOO_FEW_ERAS
    overlaps = range(1, max(1, LONGEST // step) + 1)
    ratios = _likelihood_ratios(table, overlaps)
    best = int(ratios.argmax())
    if ratios[best] < _EVIDENCE:
        return OverlapEstimate(OverlapFinding.NONE_SHOWN)
    near = [
        overlap * step
        for overlap, ratio in zip(overlaps, ratios, strict=True)
        if ratio >= ratios[best] - _ALMOST
    ]
    return OverlapEstimate(OverlapFinding.FOUND, near[0], near[-1])


def _longest_run(eras: Sequence[int]) -> tuple[slice, int]:
    """The positions of the longest run of eras that are equally far apart, and how far."""
    steps = np.diff(np.asarray(eras, dtype=np.int64))
    if not len(steps):
        return slice(0, len(eras)), 1
    changes = [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist(), len(steps)]
    first, last = max(pairwise(changes), key=lambda span: span[1] - span[0])
    return slice(first, last + 1), int(steps[first])


def _likelihood_ratios(table: NDArray[np.float64], overlaps: range) -> NDArray[np.float64]:
    """How much better each overlap explains the data than none does, shape (overlaps,)."""
    eras = len(table)
    frequencies = np.arange(1, eras) / (2 * eras)
    cosines = np.cos(2 * np.pi * np.outer(frequencies, np.arange(eras) + 0.5))
    coefficients = math.sqrt(2 / eras) * (cosines @ (table - table.mean(axis=0)))
    power = np.square(coefficients).mean(axis=1)
    power = power / power.mean() + _SMALLEST
    parts = np.array(
        [
            [
                np.ones_like(frequencies),
                _moving_sum(frequencies, overlap),
                _slow(frequencies, next_),
            ]
            for overlap in overlaps
            for next_ in _SLOW
        ]
    )
    misfits = _misfits(parts, power).reshape(len(overlaps), len(_SLOW)).min(axis=1)
    ratios: NDArray[np.float64] = independent_features(coefficients) * (misfits[0] - misfits)
    return ratios


def independent_features(coefficients: NDArray[np.float64]) -> float:
    """How many independent features these are worth, shape (frequencies, features).

    It is the square of the sum of the eigenvalues of their covariance over the sum of the squares,
    less what chance adds to the latter.
    """
    frequencies, features = coefficients.shape
    scale = np.sqrt(np.square(coefficients).mean(axis=1, keepdims=True)) + _SMALLEST
    white = coefficients / scale
    covariance = white.T @ white / frequencies
    total = float(np.trace(covariance)) ** 2
    squares = float(np.square(covariance).sum()) - total / frequencies
    return min(features, total / squares) if squares > 0 else float(features)


def _misfits(parts: NDArray[np.float64], power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minus twice the log-likelihood of the best fit of each model, but for a constant.

    `parts` has shape (models, parts, frequencies); each spectrum is a sum of its parts with weights
    of at least 0.
    """
    weights = np.full(parts.shape[:2], 1 / parts.shape[1])
    for _ in range(_STEPS):
        inverse = 1 / (np.einsum("mp,mpf->mf", weights, parts) + _SMALLEST)
        up = np.einsum("mpf,mf->mp", parts, power * np.square(inverse))
        weights *= up / np.einsum("mpf,mf->mp", parts, inverse)
    spectra = np.einsum("mp,mpf->mf", weights, parts) + _SMALLEST
    misfits: NDArray[np.float64] = (np.log(spectra) + power / spectra).sum(axis=1)
    return misfits


def _moving_sum(frequencies: NDArray[np.float64], overlap: int) -> NDArray[np.float64]:
    """The spectrum of a moving sum of `overlap` independent values, with a mean of 1."""
    angles = np.pi * frequencies
    return np.asarray(np.square(np.sin(overlap * angles) / np.sin(angles)) / overlap)


def _slow(frequencies: NDArray[np.float64], correlation: float) -> NDArray[np.float64]:
    """The spectrum of an autoregression of one era, with a mean of 1."""
    cosines = np.cos(2 * np.pi * frequencies)
    return np.asarray((1 - correlation**2) / (1 - 2 * correlation * cosines + correlation**2))
