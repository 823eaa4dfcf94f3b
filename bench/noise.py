"""How often training, diagnosis and comparison find skill in models of pure noise.

python bench/noise.py [SEEDS]

Each data set has features that say nothing about its targets, which overlap as real ones do. Each
trainer is trained on each, with the whole pipeline up to the bundle, and the bundle is diagnosed.
An interval above 0 is false skill: 2.5 % are expected.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import results
import yaml

from numerai_predict.data.synthetic import SampleShape, write_sample
from numerai_predict.scoring.intervals import Interval, mean_interval

TRAINERS = ("lightgbm", "xgboost", "catboost")
SCORES = ("corr", "mmc", "bmc", "fnc")
OVERLAP = 4  # of the main target, 20 days
SHAPE = {"live_rows": 60, "rows": 100, "train_eras": 70, "validation_eras": 110, "features": 42}
CONFIG: dict[str, Any] = {
    "features": "small",
    "rounds": 20,
    "early_stopping": 10,
    "evaluate_every": 10,
    "seeds": [42],
    "device": "cpu",
    "threads": 1,
    "validation": {"windows": 2, "window_eras": 26, "stopping_eras": 13, "holdout_eras": 52},
    "lightgbm": {"num_leaves": 8, "min_data_in_leaf": 40, "learning_rate": 0.1},
    "xgboost": {"max_depth": 3, "min_child_weight": 40, "learning_rate": 0.1},
    "catboost": {"depth": 3, "learning_rate": 0.1},
}


def trained(folder: Path, trainer: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scores of a training with the trainer, and the numbers of a diagnosis of its bundle."""
    own = {"output": str(folder / trainer), "data": {"directory": str(folder / "data")}}
    config = folder / f"{trainer}.yaml"
    config.write_text(yaml.safe_dump({**CONFIG, **own, "trainer": trainer}))
    state = str(folder / trainer / "state")  # so that no look counts
    _command(state, "train", config, "--reveal-holdout")
    bundle, report = folder / trainer / "model.pkl", folder / trainer
    source = folder / "data" / "validation.parquet"
    arguments = ("--validation", source, "--fnc-features", "small", "--output-dir", report)
    _command(state, "diagnose", bundle, *arguments, "--no-container")
    found = (folder / trainer / name for name in ("scores.json", "diagnose.json"))
    scores, diagnosis = (json.loads(path.read_bytes()) for path in found)
    return scores, diagnosis


def _command(state: str, *words: str | Path) -> None:
    program = Path(sys.executable).with_name("numerai-predict")
    variables = {**os.environ, "XDG_STATE_HOME": state}
    subprocess.run([program, *words], env=variables, check=True, capture_output=True, text=True)


def means(scores: dict[str, Any], diagnosis: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where an interval of a mean was shown, and the interval."""
    for name in SCORES:
        yield "training, windows", scores["windows"][name]["mean_interval"]
        yield "training, holdout", scores["holdout"][name]["mean_interval"]
        yield "diagnosis, clean eras", diagnosis["summary"][name]["mean_interval"]


def differences(by_trainer: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Interval | None]]:
    """The intervals of the differences between trainers, over the windows' eras."""
    for first, second in combinations(TRAINERS, 2):
        for name in SCORES:
            series = [
                np.array([era[name] for era in by_trainer[each]["per_era"]["windows"].values()])
                for each in (first, second)
            ]
            difference = (series[0] - series[1]).astype(float)
            yield "comparison of two", mean_interval(difference[np.isfinite(difference)], OVERLAP)


def main() -> None:
    """Train, diagnose, compare, print and store the results."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    found: dict[str, list[Any]] = defaultdict(list)
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="noise-") as name:
            folder, by_trainer = Path(name), {}
            write_sample(folder / "data", SampleShape(signal=0, seed=seed, **SHAPE))
            for trainer in TRAINERS:
                scores, diagnosis = trained(folder, trainer)
                by_trainer[trainer] = scores
                for place, interval in means(scores, diagnosis):
                    found[place].append(interval)
            for place, difference in differences(by_trainer):
                found[place].append(difference)
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    lines = [
        f"{seeds} data sets of noise with overlapping targets, three trainers each, four scores.",
        "False skill: intervals above 0, expected 2.5 %. A difference has no sign that is better,",
        "so both sides count there, expected 5 %.",
        "",
        "| figure of | intervals | above 0 | below 0 | none |",
        "|---|---|---|---|---|",
    ]
    for place, every in found.items():
        known = [each for each in every if each is not None]
        above = np.mean([each[0] > 0 for each in known])
        below = np.mean([each[1] < 0 for each in known])
        lines.append(
            f"| {place} | {len(known)} | {above:.1%} | {below:.1%} | {len(every) - len(known)} |"
        )
    results.keep("Skill that is found in noise (`make bench_noise`)", lines)


if __name__ == "__main__":
    main()
