"""Whether diagnosed eras overlap with the eras that a bundle's model was trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.contract.trained_eras import MANIFEST, TrainedEras

_MAX_BYTES = 16 * 1024**2


def read_trained_eras(model: str, sha256: str) -> TrainedEras | None:
    """The eras that the manifest in the pickle's directory names; `None` without such a manifest.

    The manifest must be that of a pickle with this `sha256`.
    """
    path = Path(model).parent / MANIFEST
    try:
        if "://" in model or path.stat().st_size > _MAX_BYTES:
            return None
        return TrainedEras.from_manifest(json.loads(path.read_bytes()), sha256)
    except (OSError, ValueError, RecursionError):
        return None  # the manifest is optional: a diagnosis does not fail because of it


def describe_overlap(trained: TrainedEras | None, eras: Sequence[str]) -> str:
    """Whether the scores of the eras are inflated by training on them, in a sentence or two."""
    if trained is None:
        return (
            "Scores of eras that a model was trained on are inflated, and so are those of eras "
            "whose targets overlap with them. A pickle does not record what it was trained on: "
            "choose later eras."
        )
    span = f"trained on eras {trained.first:04d} to {trained.last:04d}"
    inflated = [era for era in eras if era.isdecimal() and int(era) < trained.clear_from]
    if not inflated:
        return (
            f"The model was {span} according to its manifest: no target of the eras in this "
            "report overlaps with theirs."
        )
    return (
        f"The scores of {len(inflated)} of {len(eras)} eras are inflated: the model was {span} "
        f"according to its manifest. Choose --eras {trained.clear_from:04d}-: their targets do "
        "not overlap."
    )
