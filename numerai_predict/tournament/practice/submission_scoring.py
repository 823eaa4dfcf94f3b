"""Validation and scoring of submissions, by numerai-tools."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from numerai_tools.submissions import validate_submission_numerai

from numerai_predict.data.synthetic import Era
from numerai_predict.scoring.round_scores import round_scores
from numerai_predict.tournament.practice.errors import RequestRejected


def validate_submission(path: Path, era: Era) -> None:
    """Require that a submission satisfies the tournament's rules.

    Raises:
        RequestRejected: it does not.
    """
    try:
        frame = _read(path)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise RequestRejected(f"invalid_submission: no CSV that can be read: {error}") from error
    try:
        validate_submission_numerai(pd.Series(era.frame.index), frame)
    except (AssertionError, TypeError, ValueError) as error:
        raise RequestRejected(str(error)) from error


def score_submission(path: Path, era: Era, target: pd.Series[float]) -> dict[str, float]:
    """The scores of a valid submission by name; `target` is by id."""
    frame = _read(path)
    predictions = frame.set_index(frame.columns[0]).iloc[:, 0].astype(float)
    predictions = predictions.reindex(era.frame.index)
    return round_scores(
        predictions, target, era.meta_model["numerai_meta_model"], era.benchmarks.iloc[:, 0]
    )


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"id": str}, float_precision="round_trip")
