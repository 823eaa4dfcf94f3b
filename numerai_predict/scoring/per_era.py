"""The scores of predictions, era by era."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from numerai_tools.scoring import correlation_contribution, feature_neutral_corr, numerai_corr
from threadpoolctl import threadpool_limits

SCORES = ("corr", "mmc", "bmc", "fnc")

# numerai-tools wants as much of an era to be known as it compares. What is compared with less of
# it is no score of the era.
_COVERAGE = 0.8
# Ranks of fewer rows say nothing, and the formulas' own checks may fail on them.
_FEWEST_ROWS = 10

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
    """CORR of each era; MMC, BMC and FNC too, where what they need is given.

    All are by id. The predictions say which rows are meant: `targets` and `eras` may have more,
    in any order. Rows without a target are left out, and so are eras that have no target at all.

    Returns one row an era, in the order of eras, with float64 columns: `corr`; `mmc` with
    `meta_model`; `bmc` with `benchmark`; `fnc` with `neutralizers`, shape (rows, features). A
    score is NaN where an era has fewer than 10 rows, where predictions or targets are all the
    same, or where less than 80 percent of its rows are known to what it is compared with; FNC
    also where there are no more rows than features.

    Raises:
        ValueError: an id is there twice, or has a target and no prediction or era.

    Source: `numerai_tools.scoring`: numerai_corr, correlation_contribution (against the meta
    model MMC, against a benchmark model BMC), feature_neutral_corr.
    """
    rows = _scored_rows(predictions, targets, eras)
    scorers = dict(_scorers(meta_model, benchmark, neutralizers))
    scores: dict[str, dict[str, float]] = {}
    for era, some in rows.groupby("era", sort=False):
        frame, target = some[["prediction"]], some["target"]
        scores[str(era)] = {name: score(frame, target) for name, score in scorers.items()}
    in_order = sorted(scores, key=_era_order)
    index = pd.Index(in_order, name="era", dtype=object)
    return pd.DataFrame([scores[era] for era in in_order], index, list(scorers), dtype=np.float64)


def _scored_rows(
    predictions: pd.Series[float], targets: pd.Series[float], eras: pd.Series[str]
) -> pd.DataFrame:
    """Era, prediction and target of every row that has a target, in the order of ids."""
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
    """The formula's score, or NaN where none can be told."""
    if len(frame) < _FEWEST_ROWS or not _varies(frame["prediction"]) or not _varies(target):
        return float("nan")
    return float(formula(frame, target)["prediction"])


def _contribution(other: pd.Series[float], frame: pd.DataFrame, target: pd.Series[float]) -> float:
    known = other.reindex(frame.index).dropna().astype(np.float64)
    if len(known) < _COVERAGE * len(frame) or not _varies(known):
        return float("nan")

    def formula(frame: pd.DataFrame, target: pd.Series[float]) -> pd.Series[float]:
        return correlation_contribution(frame, known, target)

    return _score_or_nan(formula, frame.loc[known.index], target.loc[known.index])


def _neutral_correlation(
    neutralizers: pd.DataFrame, frame: pd.DataFrame, target: pd.Series[float]
) -> float:
    known = neutralizers.reindex(frame.index).dropna()
    # As many features as rows explain all predictions: what is left is rounding.
    if len(known) < _COVERAGE * len(frame) or len(known) <= known.shape[1] + 1:
        return float("nan")

    def formula(frame: pd.DataFrame, target: pd.Series[float]) -> pd.Series[float]:
        # One thread does it in half a second. As many as there are processors, on a machine that
        # does something else besides, wait for each other ten times as long.
        with threadpool_limits(1, "blas"):
            scores: pd.Series[float] = feature_neutral_corr(frame, known, target)
        return scores

    return _score_or_nan(formula, frame.loc[known.index], target.loc[known.index])


def _varies(values: pd.Series[float]) -> bool:
    return bool(values.min() < values.max())


def _era_order(era: str) -> float:
    """Eras are numbers in text; others come last, as they came."""
    return int(era) if era.isdecimal() else float("inf")
