"""Payout, scores and exposure of every candidate, era by era."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from numerai_predict.scoring.era_payouts import era_payouts
from numerai_predict.scoring.exposures import GATE_EXPOSURE, exposure_by_chance, exposures
from numerai_predict.training.blending.settings import BlendSettings
from numerai_predict.training.blending.transform import BlendTransform
from numerai_predict.training.predict_template import limit_exposure, transform

PAYOUT, EXPOSURE, EXCESS = "payout", "exposure", "excess"
COLUMNS = (PAYOUT, "corr", "mmc", "bmc", EXPOSURE, EXCESS)


@dataclass(frozen=True)
class BlendEra:
    """One scored era with the predictions that the models make without a transform.

    `window` is the window or fold that it belongs to. `predictions` and `benchmark` have shape
    (rows,), `features` shape (rows, features); `neutralizers` has the columns of each
    `neutralize_to`, shape (rows, columns). `score` returns corr, mmc and bmc of such predictions,
    those that there are.
    """

    window: str
    era: str
    predictions: NDArray[np.float64]
    benchmark: NDArray[np.float64] | None
    features: NDArray[np.int8]
    neutralizers: Mapping[str, NDArray[np.int8]]
    score: Callable[[NDArray[np.float64]], Mapping[str, float]]


@dataclass(frozen=True)
class CandidateScores:
    """The scores of all candidates.

    `table` has shape (candidates, eras, columns of `COLUMNS`), NaN where a score is undefined;
    `excess` is the exposure less what the era allows. `eras` and `windows` have shape (eras,), in
    order of time. `overlap` is the number of neighbouring eras whose targets share time.
    """

    candidates: Sequence[BlendTransform]
    eras: Sequence[str]
    windows: Sequence[str]
    table: NDArray[np.float64]
    overlap: int

    def of(self, column: str) -> NDArray[np.float64]:
        """A score of all candidates, shape (candidates, eras)."""
        values: NDArray[np.float64] = self.table[:, :, COLUMNS.index(column)]
        return values

    def within(self, chosen: NDArray[np.bool_]) -> CandidateScores:
        """Those of some eras; the mask has shape (eras,)."""
        eras = [era for era, keep in zip(self.eras, chosen, strict=True) if keep]
        windows = [each for each, keep in zip(self.windows, chosen, strict=True) if keep]
        return CandidateScores(self.candidates, eras, windows, self.table[:, chosen], self.overlap)


def score_candidates(
    candidates: Sequence[BlendTransform],
    eras: Iterable[BlendEra],
    settings: BlendSettings,
    max_exposure: float | None,
    overlap: int,
) -> CandidateScores:
    """Score every candidate on every era, as a bundle with its transform would predict it."""
    names, windows, rows = [], [], []
    for era in eras:
        names.append(era.era)
        windows.append(era.window)
        with threadpool_limits(1, "blas"):  # more threads wait for each other in small products
            rows.append([_scores(each, era, settings, max_exposure) for each in candidates])
    order = sorted(range(len(names)), key=lambda number: int(names[number]))
    table = np.array([rows[number] for number in order]).transpose(1, 0, 2)
    return CandidateScores(
        candidates,
        [names[number] for number in order],
        [windows[number] for number in order],
        table,
        overlap,
    )


def _scores(
    candidate: BlendTransform, era: BlendEra, settings: BlendSettings, max_exposure: float | None
) -> list[float]:
    values = predict_era(candidate, era, max_exposure)
    scores = era.score(values)
    payout = era_payouts(
        _series(scores.get("corr", np.nan)),
        _series(scores.get("mmc", np.nan) if settings.payout_mmc else 0.0),
        (settings.payout_corr, settings.payout_mmc),
        settings.payout_factor,
    )
    found = np.abs(exposures(pd.Series(values), era.features))
    largest = float(np.nanmax(found)) if np.isfinite(found).any() else np.nan
    chance = exposure_by_chance(*era.features.shape)
    limit = max(GATE_EXPOSURE, chance) if max_exposure is None else max_exposure
    others = [scores.get(name, np.nan) for name in ("corr", "mmc", "bmc")]
    return [float(payout.iloc[0]), *others, largest, largest - limit]


def predict_era(
    candidate: BlendTransform, era: BlendEra, max_exposure: float | None
) -> NDArray[np.float64]:
    """The predictions of an era with this transform and limit, shape (rows,)."""
    neutralizers = era.neutralizers.get(candidate.neutralize_to)
    values = transform(era.predictions, era.benchmark, neutralizers, candidate.as_spec())
    result: NDArray[np.float64] = limit_exposure(values, era.features, max_exposure)
    return result


def _series(value: Any) -> pd.Series[float]:
    return pd.Series([value], dtype=np.float64)
