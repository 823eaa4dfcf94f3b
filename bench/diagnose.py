"""The cost of a diagnosis, in seconds per era and memory, against a bare script.

python bench/diagnose.py [ERAS] [--before CHECKOUT | --trees]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import checkouts
import cloudpickle
import inputs
import results

from numerai_predict.contract.limits import format_size
from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.data.synthetic import write_sample

ERAS, ROWS, FEATURES = 30, 5_000, 2_750
_TURNS, _TREE_TURNS = 5, 1

_DIAGNOSE = """
import resource, sys
from numerai_predict.cli.main import main
code = main(["diagnose", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
sys.exit(code)
"""
# All of the data at once, as in a notebook: the reason for the batches.
_BARE = """
import pickle, resource, sys, time
import pandas as pd
started = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    predict = pickle.load(file)
frame = pd.read_parquet(sys.argv[2])
for era, rows in frame.groupby("era"):
    predict(rows)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main() -> None:
    """Measure, print and store the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("eras", nargs="?", type=int, default=ERAS)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="compare with this version")
    parser.add_argument(
        "--trees", action="store_true", help="compare the tree engine with LightGBM itself"
    )
    options = parser.parse_args()
    data = _data(options.eras)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.pkl").write_bytes(_model())
        if options.before is not None:
            _compare_versions(options.before, folder, data, options.eras)
        elif options.trees:
            _compare_engine(folder, data, options.eras)
        else:
            _compare_with_script(folder, data, options.eras)


def _compare_with_script(folder: Path, data: Path, eras: int) -> None:
    bare = _run(checkouts.CURRENT, _BARE, folder / "model.pkl", data / "validation.parquet")
    seconds, peak = map(float, bare.split())
    lines = [
        _described(eras),
        "",
        "| | seconds per era | memory of its process | of the model process |",
        "|---|---|---|---|",
        f"| bare script, predictions only | {seconds / eras:.2f} | {format_size(peak)} | |",
    ]
    for title, options in (
        ("`diagnose`, no FNC", ["--fnc", "none"]),
        ("`diagnose`, FNC of `small`", ["--fnc", "small"]),
        ("`diagnose`, FNC of `medium`", []),
        ("`diagnose --memory 1g`, no FNC", ["--fnc", "none", "--memory", "1g"]),
    ):
        own = float(_diagnose(checkouts.CURRENT, folder, data, *options).splitlines()[-1])
        run = json.loads((folder / "diagnose.json").read_text())["run"]
        lines.append(
            f"| {title} | {run['seconds'] / eras:.2f} | {format_size(own)} | "
            f"{format_size(run['peak_memory_bytes'])} |"
        )
    page = format_size((folder / "diagnose.html").stat().st_size)
    results.keep("Diagnoses (`make bench_diagnose`)", [*lines, "", f"The page has {page}."])


def _compare_versions(before: Path, folder: Path, data: Path, eras: int) -> None:
    lines = [
        f"Commit {checkouts.commit(before)} before, {checkouts.commit(checkouts.CURRENT)} after; "
        f"{_described(eras)} Medians of {_TURNS} alternating runs, seconds of the whole command.",
        "",
        "| | before | after | ratio |",
        "|---|---|---|---|",
    ]
    for title, features in (("no FNC", "none"), ("FNC of `small`", "small")):
        old, new = _alternate((before, checkouts.CURRENT), folder, data, features)
        lines.append(f"| `diagnose`, {title} | {old:.2f} | {new:.2f} | {new / old:.3f} |")
    results.keep("Diagnoses before and after (`bench/diagnose.py --before`)", lines)


def _compare_engine(folder: Path, data: Path, eras: int) -> None:
    (folder / "model.pkl").write_bytes(_tree_model())
    runs: dict[str, list[tuple[float, float]]] = {"--no-acceleration": [], "": []}
    for turn in range(_TREE_TURNS):
        for option in list(runs)[:: -1 if turn % 2 else 1]:
            started = time.perf_counter()
            _diagnose(checkouts.CURRENT, folder, data, "--fnc", "none", *option.split())
            whole = time.perf_counter() - started
            run = json.loads((folder / "diagnose.json").read_text())["run"]
            used = run["acceleration"]["used"]
            if used != ("library" if option else "engine"):
                sys.exit(f"expected another predictor than {used}")
            runs[option].append((run["predict_seconds"], whole))
    library, engine = (
        [statistics.median(column) for column in zip(*each, strict=True)] for each in runs.values()
    )
    lines = [
        f"{eras * ROWS:,} rows of {eras} eras x {FEATURES:,} features of int8, a LightGBM model of "
        f"{inputs.TREES:,} trees on all of them, {os.cpu_count()} cores; medians of {_TREE_TURNS} "
        "run(s) of each in seconds of wall time. The prediction is the time in the model's "
        "function.",
        "",
        "| | LightGBM | the tree engine | ratio |",
        "|---|---|---|---|",
    ]
    for title, old, new in zip(("prediction", "whole command"), library, engine, strict=True):
        lines.append(f"| {title} | {old:.1f} | {new:.1f} | {old / new:.2f} |")
    results.keep("Diagnoses of tree models (`bench/diagnose.py --trees`)", lines)


def _alternate(
    versions: tuple[Path, Path], folder: Path, data: Path, features: str
) -> tuple[float, ...]:
    """The median seconds of each version; every turn reverses their order."""
    times: dict[Path, list[float]] = {version: [] for version in versions}
    for turn in range(_TURNS):
        for version in versions[:: 1 if turn % 2 else -1]:
            started = time.perf_counter()
            _diagnose(version, folder, data, "--fnc", features)
            times[version].append(time.perf_counter() - started)
    return tuple(statistics.median(times[version]) for version in versions)


def _diagnose(version: Path, folder: Path, data: Path, *options: str) -> str:
    # The old spellings: the version before knows no others, and today's still accepts them.
    files = ["--model", folder / "model.pkl", "--validation", data, "--output_dir", folder]
    return _run(version, _DIAGNOSE, *files, "--local", *options)


def _described(eras: int) -> str:
    return (
        f"{eras} eras of {ROWS:,} rows x {FEATURES:,} features, {format_size(_bytes(eras))} of "
        "int8; a linear model on a float32 copy of all features."
    )


def _bytes(eras: int) -> int:
    return eras * ROWS * FEATURES


def _data(eras: int) -> Path:
    folder = inputs.FOLDER / f"diagnose-{eras}"
    if not folder.exists():
        print(f"making {eras} eras, once", flush=True)
        shape = SampleShape(100, ROWS, train_eras=1, validation_eras=eras, features=FEATURES)
        folder.parent.mkdir(exist_ok=True)
        write_sample(folder, shape)
    return folder


def _model() -> bytes:
    def predict(live_features):
        import numpy as np

        names = [name for name in live_features if name.startswith("feature_")]
        values = live_features[names].to_numpy(np.float32)
        weights = np.random.default_rng(1).normal(size=len(names)).astype(np.float32)
        scores = live_features[[]].assign(prediction=values @ weights)
        return scores.rank(pct=True)

    return cloudpickle.dumps(predict)


def _tree_model() -> bytes:
    import lightgbm

    booster = lightgbm.Booster(model_file=inputs.booster())

    def predict(live_features):
        values = booster.predict(live_features[booster.feature_name()])
        return live_features[[]].assign(prediction=values).rank(pct=True)

    return cloudpickle.dumps(predict)


def _run(checkout: Path, program: str, *words: object) -> str:
    """The output of the program, with the code of the checkout."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [str(checkouts.python(checkout)), "-c", program, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=checkout)
    if ended.returncode:
        sys.exit(ended.stderr)
    return ended.stdout


if __name__ == "__main__":
    main()
