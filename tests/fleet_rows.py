"""Rows of a fleet run's ledger, made up, and the files beside its report."""

import random

from numerai_predict.fleet.ledger_rows import Row
from numerai_predict.fleet.model_state import ModelState

_VERDICTS = ("timeout", "model_error", "out_of_memory", "invalid_predictions")
_LOG = "12:00:00 fetch  fetched the model\n12:00:01 load  loaded in 0.21 s\n" * 5


def made_up_rows(count, failing=0.05, workers=16, seed=3):
    """So many models on so many workers, a share of which failed."""
    chance = random.Random(seed)
    free = [0.0] * workers
    return [_row(number, chance, free, failing) for number in range(count)]


def _row(number, chance, free, failing):
    worker = min(range(len(free)), key=free.__getitem__)
    seconds, started = chance.lognormvariate(0.7, 0.6), free[worker]
    free[worker] += seconds + 0.05
    failed = chance.random() < failing
    verdict = chance.choice(_VERDICTS) if failed else "ok"
    return Row(
        f"model-{number:05d}-lgbm_{chance.randrange(9999)}",
        ModelState.FAILED if failed else ModelState.DELIVERED,
        verdict,
        f"KeyError: 'feature_{number}' not in the live data" if failed else "",
        f"numerai_predict_py_3_{10 + worker % 4}:latest-slim",
        f"node-{worker // 8} w{worker % 8}",
        1,
        1_790_000_000 + started,
        None,
        seconds,
        int(chance.lognormvariate(20, 0.4)),
    )


def write_files(folder, rows):
    """Write what a fleet run writes for these models; returns the remedies by id."""
    for kind in ("logs", "records", "predictions"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for row in rows:
        (folder / f"records/{row.id}.json").write_text("{}")
        (folder / f"logs/{row.id}.log").write_text(f"{_LOG}12:00:02 verdict  {row.verdict}\n")
        if row.verdict == "ok":
            (folder / f"predictions/{row.id}.csv").write_text("id,prediction\n")
    return {row.id: "train on features of this data version" for row in rows if row.message}
