"""The cost of a diagnosis, in seconds per era and memory, against a bare script.

python bench/diagnose.py [ERAS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cloudpickle
import inputs
import results

from numerai_predict.contract.limits import format_size
from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.data.synthetic import write_sample

ERAS, ROWS, FEATURES = 30, 5_000, 2_750

_DIAGNOSE = """
import resource, sys
from numerai_predict.cli.main import main
code = main(["diagnose", "--no-container", *sys.argv[1:]])
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
    eras = int(sys.argv[1]) if len(sys.argv) > 1 else ERAS
    data = _data(eras)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "model.pkl"
        model.write_bytes(_model())
        bare = _run(_BARE, model, data / "validation.parquet")
        seconds, peak = map(float, bare.split())
        lines = [
            f"{eras} eras of {ROWS:,} rows x {FEATURES:,} features, {format_size(_bytes(eras))} of "
            "int8; a linear model on a float32 copy of all features.",
            "",
            "| | seconds per era | memory of its process | of the model process |",
            "|---|---|---|---|",
            f"| bare script, predictions only | {seconds / eras:.2f} | {format_size(peak)} | |",
        ]
        for title, options in (
            ("`diagnose`, no FNC", ["--fnc-features", "none"]),
            ("`diagnose`, FNC of `small`", ["--fnc-features", "small"]),
            ("`diagnose`, FNC of `medium`", []),
            ("`diagnose --memory 1g`, no FNC", ["--fnc-features", "none", "--memory", "1g"]),
        ):
            words = ["--model", model, "--validation", data, "--output-dir", folder, *options]
            own = float(_run(_DIAGNOSE, *words).splitlines()[-1])
            run = json.loads((folder / "diagnose.json").read_text())["run"]
            lines.append(
                f"| {title} | {run['seconds'] / eras:.2f} | {format_size(own)} | "
                f"{format_size(run['peak_memory_bytes'])} |"
            )
        page = format_size((folder / "diagnose.html").stat().st_size)
        lines += ["", f"The page has {page}."]
    results.keep("Diagnoses (`make bench_diagnose`)", lines)


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


def _run(program: str, *words: object) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", program, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment)
    if ended.returncode:
        sys.exit(ended.stderr)
    return ended.stdout


if __name__ == "__main__":
    main()
