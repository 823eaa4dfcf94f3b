"""CORR, MMC, BMC and FNC of predictions, era by era."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from numerai_tools.scoring import (
    correlation_contribution,
    gaussian,
    neutralize,
    numerai_corr,
    tie_kept_rank,
    variance_normalize,
)
from threadpoolctl import threadpool_limits

SCORES = ("corr", "mmc", "bmc", "fnc")

# numerai-tools requires this share of common rows; a score on fewer rows is not that of the era.
_COVERAGE = 0.8
# Ranks of fewer rows are meaningless, and checks inside numerai-tools may fail on them.
_MIN_ROWS = 10
# Of predictions with a standard deviation of about 1, after what features explain was removed.
_ROUNDING = 1e-9

_Scorer = Callable[["pd.DataFrame", "pd.Series[float]"], "pd.Series[float]"]


def era_scores(
    predictions: pd.Series[float],
    targets: pd.Series[float],
    eras: pd.Series[str],
    *,
    meta_model: pd.Series[float] | None = None,
    benchmark: pd.Series[float] | None = None,
    neutralizers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """CORR of each era, and MMC, BMC and FNC if their inputs are given.

    All inputs are indexed by id. The predictions select the rows: `targets` and `eras` may have
    more ids, in any order. Rows without a target are left out, and so are eras without any
    target. `neutralizers` has shape (rows, features).

    Returns one row per era, in order of time, with float64 columns: `corr`; `mmc` with
    `meta_model`; `bmc` with `benchmark`; `fnc` with `neutralizers`. A score is NaN if the era has
    fewer than 10 rows, if its predictions or targets are constant, or if less than 80 percent
    of its rows are in the compared input; FNC also if there are not more rows than features, or if
    the features explain the predictions completely.

    Raises:
        ValueError: an id is duplicated, or has a target but no prediction or era.

    Source: `numerai_tools.scoring`: numerai_corr, correlation_contribution (against the meta
    model MMC, against a benchmark model BMC), feature_neutral_corr in its two steps.
    """
    rows = _scored_rows(predictions, targets, eras)
    scorers = dict(_scorers(meta_model, benchmark, neutralizers))
    scores: dict[str, dict[str, float]] = {}
    for era, era_rows in rows.groupby("era", sort=False):
        frame, target = era_rows[["prediction"]], era_rows["target"]
        scores[str(era)] = {name: score(frame, target) for name, score in scorers.items()}
    in_order = sorted(scores, key=_era_order)
    index = pd.Index(in_order, name="era", dtype=object)
    return pd.DataFrame([scores[era] for era in in_order], index, list(scorers), dtype=np.float64)


def _scored_rows(
    predictions: pd.Series[float], targets: pd.Series[float], eras: pd.Series[str]
) -> pd.DataFrame:
    """Era, prediction and target of every row that has a target, sorted by id."""
    if not predictions.index.is_unique:
        repeated = predictions.index[predictions.index.duplicated()][0]
        raise ValueError(f"expected each id once, found {repeated} more than once")
    ids = predictions.index
    rows = pd.DataFrame(
        {
            "era": eras.reindex(ids),
            "prediction": predictions.astype(np.float64),
            "target": targets.reindex(ids).astype(np.float64),
        }
    )
    rows = rows[rows["target"].notna()]
    gaps = int(rows["prediction"].isna().sum()), int(rows["era"].isna().sum())
    if any(gaps):
        raise ValueError(
            f"expected a prediction and an era in every row that has a target, found {gaps[0]} "
            f"without a prediction and {gaps[1]} without an era"
        )
    return rows.sort_index()


def _scorers(
    meta_model: pd.Series[float] | None,
    benchmark: pd.Series[float] | None,
    neutralizers: pd.DataFrame | None,
) -> Iterator[tuple[str, Callable[[pd.DataFrame, pd.Series[float]], float]]]:
    yield "corr", partial(_score_or_nan, numerai_corr)
    if meta_model is not None:
        yield "mmc", partial(_contribution, meta_model)
    if benchmark is not None:
        yield "bmc", partial(_contribution, benchmark)
    if neutralizers is not None:
        yield "fnc", partial(_neutral_correlation, neutralizers)


def _score_or_nan(formula: _Scorer, frame: pd.DataFrame, target: pd.Series[float]) -> float:
    """The formula's score; NaN if it is undefined."""
    if len(frame) < _MIN_ROWS or not _varies(frame["prediction"]) or not _varies(target):
        return float("nan")
    return float(formula(frame, target)["prediction"])


def _contribution(other: pd.Series[float], frame: pd.DataFrame, target: pd.Series[float]) -> float:
    common = other.reindex(frame.index).dropna().astype(np.float64)
    if len(common) < _COVERAGE * len(frame) or not _varies(common):
        return float("nan")

    def formula(frame: pd.DataFrame, target: pd.Series[float]) -> pd.Series[float]:
        return correlation_contribution(frame, common, target)

    return _score_or_nan(formula, frame.loc[common.index], target.loc[common.index])


def _neutral_correlation(
    neutralizers: pd.DataFrame, frame: pd.DataFrame, target: pd.Series[float]
) -> float:
    common = neutralizers.reindex(frame.index).dropna()
    # With as many features as rows the residuals are rounding errors.
    if len(common) < _COVERAGE * len(frame) or len(common) <= common.shape[1] + 1:
        return float("nan")

    def formula(frame: pd.DataFrame, target: pd.Series[float]) -> pd.Series[float]:
        # One thread takes half a second. One per CPU, on a machine with other load, takes ten times
        # as long, because the threads wait for each other.
        with threadpool_limits(1, "blas"):
            neutral = neutralize(gaussian(tie_kept_rank(frame)), common)
        if float(neutral["prediction"].std()) < _ROUNDING:
            return pd.Series({"prediction": float("nan")})
        scores: pd.Series[float] = numerai_corr(variance_normalize(neutral), target)
        return scores

    return _score_or_nan(formula, frame.loc[common.index], target.loc[common.index])


def _varies(values: pd.Series[float]) -> bool:
    return bool(values.min() < values.max())


def _era_order(era: str) -> float:
    """Sort key: the number of the era; names that are not numbers sort last, in their order."""
    return int(era) if era.isdecimal() else float("inf")
