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

import results
import yaml

from numerai_predict.data.synthetic import SampleShape, write_sample

TRAINERS = ("lightgbm", "xgboost", "catboost")
SCORES = ("corr", "mmc", "bmc", "fnc")
# The target, and the trainers of it: one is enough to see whether the horizon is accounted for.
TARGETS = {"target": TRAINERS, "target_ender_60": TRAINERS[:2]}
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


def trained(folder: Path, target: str, trainer: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scores of a training with the trainer, and the numbers of a diagnosis of its bundle."""
    report = _output(folder, target, trainer)
    own = {
        "output": str(report),
        "data": {"directory": str(folder / "data")},
        "targets": [target],
        "trainer": trainer,
    }
    config = folder / f"{target}-{trainer}.yaml"
    config.write_text(yaml.safe_dump({**CONFIG, **own}))
    state = str(report / "state")  # so that no look counts
    _command(state, "train", config, "--reveal-holdout")
    _command(state, "diagnose", report / "model.pkl", *_on_validation(folder, target, report))
    scores, diagnosis = (
        json.loads((report / name).read_bytes()) for name in ("scores.json", "diagnose.json")
    )
    return scores, diagnosis


def compared(folder: Path, target: str, first: str, second: str) -> dict[str, Any]:
    """The numbers of `compare` for the bundles of two trainers."""
    pickles = [_output(folder, target, each) / "model.pkl" for each in (first, second)]
    report = folder / f"{target}-{first}-{second}"
    report.mkdir()
    _command(str(report / "state"), "compare", *pickles, *_on_validation(folder, target, report))
    numbers: dict[str, Any] = json.loads((report / "compare.json").read_bytes())
    return numbers


def _output(folder: Path, target: str, trainer: str) -> Path:
    return folder / f"{target}-{trainer}"


def _on_validation(folder: Path, target: str, report: Path) -> tuple[str | Path, ...]:
    return (
        "--validation", folder / "data" / "validation.parquet", "--target", target,
        "--fnc-features", "small", "--output-dir", report, "--no-container",
    )  # fmt: skip


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


def claims_skill(diagnosis: dict[str, Any]) -> bool:
    """Whether the first sentence of a report claims skill."""
    first: str = diagnosis["conclusion"][0]
    return first.startswith("The figures support skill")


class Found:
    """What was found in noise, by figure."""

    def __init__(self) -> None:
        self.intervals: dict[str, list[Any]] = defaultdict(list)
        self.claims: dict[str, list[bool]] = defaultdict(list)

    def measure(self, folder: Path, target: str) -> None:
        """Train, diagnose and compare the models of a target."""
        for trainer in TARGETS[target]:
            scores, diagnosis = trained(folder, target, trainer)
            for figure, interval in means(scores, diagnosis):
                self.intervals[f"{target}: {figure}"].append(interval)
            self.claims[f"{target}: the first sentence of a diagnosis"].append(
                claims_skill(diagnosis)
            )
        for pair in combinations(TARGETS[target], 2):
            numbers = compared(folder, target, *pair)
            for each in numbers["differences"].values():
                interval = each["difference"]["mean_interval"]
                self.intervals[f"{target}: `compare`, differences"].append(interval)
            decisive = numbers["differences"][numbers["decisive"]]
            verdict = decisive["judgement"] != "cannot tell"
            self.claims[f"{target}: the verdict of `compare`"].append(verdict)

    def lines(self) -> Iterator[str]:
        """The tables."""
        yield "| figure of | intervals | above 0 | below 0 | none |"
        yield "|---|---|---|---|---|"
        for figure, every in self.intervals.items():
            known = [each for each in every if each is not None]
            above = sum(each[0] > 0 for each in known) / max(1, len(known))
            below = sum(each[1] < 0 for each in known) / max(1, len(known))
            missing = len(every) - len(known)
            yield f"| {figure} | {len(known)} | {above:.1%} | {below:.1%} | {missing} |"
        yield ""
        yield "| sentence | reports | claims skill or a difference |"
        yield "|---|---|---|"
        for figure, claimed in self.claims.items():
            yield f"| {figure} | {len(claimed)} | {sum(claimed) / len(claimed):.1%} |"


def main() -> None:
    """Train, diagnose, compare, print and store the results."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    found = Found()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="noise-") as name:
            folder = Path(name)
            write_sample(folder / "data", SampleShape(signal=0, seed=seed, **SHAPE))
            for target in TARGETS:
                found.measure(folder, target)
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    trainers = ", ".join(f"{len(each)} trainers of {target}" for target, each in TARGETS.items())
    lines = [
        f"{seeds} data sets of noise with overlapping targets; {trainers}.",
        "False skill: intervals above 0, expected 2.5 %. A difference has no sign that is better,",
        "so both sides count there, expected 5 %.",
        "",
        *found.lines(),
    ]
    results.keep("Skill that is found in noise (`make bench_noise`)", lines)


if __name__ == "__main__":
    main()
