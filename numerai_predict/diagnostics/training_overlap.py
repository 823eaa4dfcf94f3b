"""Whether diagnosed eras overlap with the eras that a bundle's model was trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from numerai_predict.contract.trained_eras import MANIFEST, TrainedEras
from numerai_predict.data.era_selection import era_name

_MAX_BYTES = 16 * 1024**2


def manifest_beside(model: str) -> Any:
    """The manifest in the directory of a pickle; `None` without one that can be read."""
    path = Path(model).parent / MANIFEST
    try:
        if "://" in model or path.stat().st_size > _MAX_BYTES:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None  # the manifest is optional: a diagnosis does not fail because of it


class EraKind(Enum):
    """What is known of an era and the training of the model; the values are those of the JSON.

    The targets of an `OVERLAPPING` era share time with eras that the model was trained on.
    """

    CLEAN = "clean"
    TRAINED = "trained"
    OVERLAPPING = "overlapping"
    UNKNOWN = "unknown"

    @property
    def is_inflated(self) -> bool:
        """Whether training on the era, or on one that overlaps with it, inflates its scores."""
        return self in (EraKind.TRAINED, EraKind.OVERLAPPING)


def kind_of(era: str, trained: TrainedEras | None) -> EraKind:
    """The kind of an era; `UNKNOWN` without a manifest, or if the era is not a number."""
    if trained is None or not era.isdecimal():
        return EraKind.UNKNOWN
    number, embargo = int(era), trained.clear_from - trained.last - 1
    if trained.first <= number <= trained.last:
        return EraKind.TRAINED
    if trained.first - embargo <= number < trained.clear_from:
        return EraKind.OVERLAPPING
    return EraKind.CLEAN


def describe_overlap(trained: TrainedEras | None, eras: Sequence[str]) -> str:
    """Whether the scores of the eras are inflated by training on them, in a sentence or two."""
    if trained is None:
        return (
            "The training eras are unknown: a pickle does not record them. Scores of eras that a "
            "model was trained on are inflated, and so are those of eras whose targets overlap "
            "with them: choose later eras."
        )
    span = f"trained on eras {era_name(trained.first)} to {era_name(trained.last)}"
    inflated = [era for era in eras if kind_of(era, trained).is_inflated]
    if not inflated:
        return (
            f"The model was {span} according to its manifest: no target of the eras in this "
            "report overlaps with theirs."
        )
    return (
        f"The scores of {len(inflated)} of {len(eras)} eras are inflated and not part of the "
        f"summary: the model was {span} according to its manifest. From era "
        f"{era_name(trained.clear_from)} on the targets do not overlap with theirs."
    )
