"""Where a model comes from, as far as a bundle's manifest tells: the eras that it knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.contract.trained_eras import MANIFEST, TrainedEras

_MOST_BYTES = 16 * 1024**2


def read_trained_eras(model: str, sha256: str) -> TrainedEras | None:
    """The eras that the manifest beside the pickle names; `None` where none tells of it."""
    path = Path(model).parent / MANIFEST
    try:
        if "://" in model or path.stat().st_size > _MOST_BYTES:
            return None
        return TrainedEras.told_by(json.loads(path.read_bytes()), sha256)
    except (OSError, ValueError, RecursionError):
        return None  # the pickle is what is looked at; a manifest is a help


def describe_overlap(known: TrainedEras | None, eras: Sequence[str]) -> str:
    """Whether the scores of the eras can be believed, in a sentence or two."""
    if known is None:
        return (
            "Eras that a model was trained on flatter it, and so do those next to them whose "
            "targets overlap. No pickle tells which they were: choose later ones."
        )
    span = f"trained on eras {known.first:04d} to {known.last:04d}"
    flattering = [era for era in eras if era.isdecimal() and int(era) < known.clear_from]
    if not flattering:
        return f"The model was {span}, its manifest says: all eras here are past their targets."
    return (
        f"{len(flattering)} of {len(eras)} eras flatter the model, which was {span}, its manifest "
        f"says. Choose --eras {known.clear_from:04d}-: their targets overlap with none of those."
    )
