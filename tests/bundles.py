"""Bundles for tests: a pickle and the manifest that a training writes beside it."""

import hashlib
import json
from pathlib import Path

from numerai_predict.contract.running_python import RUNNING_PYTHON


def write_bundle(pickle: Path, model=(), data=(), **changes):
    """Write the manifest of a pickle; `model` and `data` change keys of these sections."""
    manifest = {
        "form": 1,
        "model": {
            "file": "model.pkl",
            "sha256": hashlib.sha256(pickle.read_bytes()).hexdigest(),
            "python": RUNNING_PYTHON,
            **dict(model),
        },
        "data": {"directory": "/data/v5.2", "version": "v5.2", **dict(data)},
        **changes,
    }
    (pickle.parent / "manifest.json").write_text(json.dumps(manifest))
    return pickle
