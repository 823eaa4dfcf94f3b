"""Eras that an earlier training scored, and that are therefore no untouched holdout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.data.era_selection import era_name
from numerai_predict.training.reports import SCORES


def describe_earlier_scores(output: Path, holdout: Sequence[int]) -> list[str]:
    """The warning about eras of the holdout that windows of an earlier training scored.

    That is known of the last training with the same output directory alone: of its scores.json.
    """
    seen = sorted(_scored_eras(output / SCORES) & set(holdout))
    if not seen:
        return []
    span = f"{era_name(seen[0])} to {era_name(seen[-1])}"
    return [
        f"{len(seen)} of the {len(holdout)} eras of the holdout ({span}) were scored by windows of "
        "the earlier training here: choices made by those scores make the holdout look better; "
        "keep holdout_eras as it was, or take the holdout's scores as too high"
    ]


def _scored_eras(path: Path) -> set[int]:
    """The eras that windows scored; none if the file is missing or of another form."""
    try:
        scored = json.loads(path.read_bytes())["per_era"]["windows"]
        return {int(era) for era in scored}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()
