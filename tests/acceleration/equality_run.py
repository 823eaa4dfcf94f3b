"""Predicts random models with the engine and without; runs inside an image too.

python equality_run.py PACKAGE_ROOT FIRST_SEED MODELS
"""

from __future__ import annotations

import collections
import json
import sys
import warnings
from pathlib import Path

KINDS = ("engine", "fallback", "different", "not trained")


def compare(first: int, models: int) -> dict[str, dict[str, int]]:
    """For each library how many models the engine predicted, left to the library, or got wrong."""
    import random_models

    from numerai_predict.acceleration import accelerator as module
    from numerai_predict.acceleration.interception import install
    from numerai_predict.acceleration.usage import Used

    warnings.filterwarnings("ignore")
    accelerator = module.Accelerator()
    install(accelerator)
    module.engine_is_faster = lambda _: True
    cases, built = random_models.CASES, module.library
    counts = {library: collections.Counter(dict.fromkeys(KINDS, 0)) for library in cases}
    for seed in range(first, first + models):
        library = list(cases)[seed % len(cases)]
        try:
            case = cases[library](seed)
        except Exception:  # a combination that the library refuses to train
            counts[library]["not trained"] += 1
            continue
        module.library = lambda: None
        expected = case.model.predict(case.data, **case.arguments)
        module.library = built
        accelerator.usage.used = None
        found = case.model.predict(case.data, **case.arguments)
        same = found.dtype == expected.dtype and found.tobytes() == expected.tobytes()
        by = "engine" if accelerator.usage.used is Used.ENGINE else "fallback"
        counts[library][by if same else "different"] += 1
    return {library: dict(found) for library, found in counts.items()}


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent)]
    sys.path.append(sys.argv[1])
    print(json.dumps(compare(int(sys.argv[2]), int(sys.argv[3]))))
