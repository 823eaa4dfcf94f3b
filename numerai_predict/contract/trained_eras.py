"""The eras that a model was trained on, as the manifest of its bundle records them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

PICKLE, MANIFEST = "model.pkl", "manifest.json"
_KEY, _HOLDOUT_KEY = "trained_on", "holdout"


@dataclass(frozen=True)
class TrainedEras:
    """The numbers of the first and last era that a model was trained on.

    `clear_from` is the first later era whose targets overlap with none of theirs.
    """

    first: int
    last: int
    clear_from: int

    def as_entry(self) -> dict[str, dict[str, int]]:
        """The entry of the manifest."""
        return {_KEY: asdict(self)}

    def clear_of(self, overlap: int) -> TrainedEras:
        """The eras with a `clear_from` for targets of so many overlapping eras, if that is later.

        A model may be scored on a target that looks further ahead than those of its training.
        """
        return replace(self, clear_from=max(self.clear_from, self.last + overlap))

    @classmethod
    def from_manifest(cls, manifest: Any, sha256: str) -> TrainedEras | None:
        """The eras in the manifest of the pickle with this hash; `None` if it has none."""
        if not isinstance(manifest, Mapping) or not isinstance(manifest.get("model"), Mapping):
            return None
        entry = manifest.get(_KEY)
        if manifest["model"].get("sha256") != sha256 or not isinstance(entry, Mapping):
            return None
        numbers = [entry.get(name) for name in ("first", "last", "clear_from")]
        known = [each for each in numbers if isinstance(each, int)]
        return cls(*known) if len(known) == len(numbers) else None


def scored_model(manifest: Any, sha256: str) -> str:
    """What identifies the model of a pickle with this hash in the record of looks at holdouts.

    It is the entry of a manifest that belongs to the pickle, so that a training and a diagnosis of
    its bundle count once; else the pickle's hash.
    """
    with contextlib.suppress(AttributeError, KeyError, TypeError):
        holdout = manifest[_HOLDOUT_KEY]
        if manifest["model"]["sha256"] == sha256 and holdout["is_bundled"] is True:
            return str(holdout["scored_model"])
    return sha256
