"""The tree engine against the libraries: time, memory and equality, on one core.

python bench/trees.py [--equality MODELS] [--others]
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import results
import tree_inputs

from numerai_predict.acceleration.accelerator import Accelerator
from numerai_predict.acceleration.interception import install

_TIMES, _TIMES_OF_LARGE = 7, 3
# model, input, the smallest ratio of library to engine: its first call, and without reading.
_CASES = (
    ("lightgbm-2000x31", "int8 frame", 4, 8),
    ("lightgbm-2000x31", "int8 array", 4, 8),
    ("lightgbm-2000x31", "float32 array", 4, 4),
    ("lightgbm-20000x64", "int8 frame", 6, 6),
    ("xgboost-2000x5", "int8 frame", 2, 2),
    ("xgboost-2000x5", "float32 array", 2, 2),
    ("catboost-1000x6", "int8 frame", 2, 2),
    ("catboost-1000x6", "float32 array", 2, 2),
    ("lightgbm-10x31", "int8 frame", 0.98, 0.98),
)
_OTHERS = (
    "lightgbm",
    "treelite",
    "onnxruntime",
    "onnxmltools",
    "daal4py",
    "scikit-learn<1.6",
    "numpy<2.3",
)


def main() -> None:
    """Measure, print and store the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--equality", type=int, metavar="MODELS", help="compare random models")
    parser.add_argument("--others", action="store_true", help="measure other engines of trees")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_measure(*options.one)))
    elif options.equality:
        _equality(options.equality)
    elif options.others:
        _others()
    else:
        _speed()


def _speed() -> None:
    lines = [
        f"{tree_inputs.ROWS:,} x {tree_inputs.FEATURES:,} rows, one thread on one core, medians of "
        f"{_TIMES} ({_TIMES_OF_LARGE} of the largest) in seconds of CPU time, which work beside it "
        "changes little. The first call reads the model and has the library predict 256 rows.",
        "",
        "| model | input | library | engine, first call | ratio | at least | engine, later call "
        "| ratio | at least | memory | equal |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, kind, first_least, later_least in _CASES:
        library, engine = _run(name, kind, "library"), _run(name, kind, "engine")
        first, later = library["first"] / engine["first"], library["later"] / engine["later"]
        by_library = engine["used"] != "engine"
        lines.append(
            f"| {name} | {kind} | {library['first']:.3f} | {engine['first']:.3f} | {first:.1f} "
            f"| {first_least} | {engine['later']:.3f} | {later:.1f} | {later_least} "
            f"| {engine['bytes'] / library['bytes']:.2f} "
            f"| {engine['sha'] == library['sha']}{', by the library' * by_library} |"
        )
        print(lines[-1], flush=True)
    results.keep("The tree engine (`make bench_trees`)", lines)


def _run(name: str, kind: str, side: str) -> dict[str, Any]:
    """A measurement in a process of its own, on the last CPU."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = ["taskset", "-c", str((os.cpu_count() or 1) - 1), sys.executable, __file__]
    done = subprocess.run(
        [*command, "--one", name, kind, side], env=environment, stdout=subprocess.PIPE, check=True
    )
    content: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return content


def _measure(name: str, kind: str, side: str) -> dict[str, Any]:
    import hashlib

    accelerator = Accelerator()
    if side == "engine":
        install(accelerator)
    model, predict = _loaded(name)
    data = _input(kind)
    first, later = [], []
    for _ in range(_TIMES_OF_LARGE if "20000" in name else _TIMES):
        fresh = pickle.loads(pickle.dumps(model))
        started = time.process_time()
        found = predict(fresh, data)
        between = time.process_time()
        first.append(between - started)
        if side == "engine":  # every call of a library is the same
            predict(fresh, data)
            later.append(time.process_time() - between)
    used = accelerator.usage.used
    return {
        "first": statistics.median(first),
        "later": statistics.median(later or first),
        "sha": hashlib.sha256(found.tobytes()).hexdigest(),
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "used": None if used is None else used.value,
    }


def _loaded(name: str) -> tuple[Any, Any]:
    """The model and the call that predicts with it on one thread."""
    library = name.partition("-")[0]
    if library == "lightgbm":
        import lightgbm

        if name == "lightgbm-10x31":
            whole = lightgbm.Booster(model_file=tree_inputs.model("lightgbm-2000x31"))
            model: Any = lightgbm.Booster(model_str=whole.model_to_string(num_iteration=10))
        else:
            model = lightgbm.Booster(model_file=tree_inputs.model(name))
        return model, lambda model, data: model.predict(data, num_threads=1)
    if library == "xgboost":
        import xgboost

        model = xgboost.Booster(model_file=tree_inputs.model(name))
        model.set_param({"nthread": 1})
        return model, lambda model, data: model.inplace_predict(data, validate_features=False)
    import catboost

    model = catboost.CatBoostRegressor().load_model(tree_inputs.model(name))
    return model, lambda model, data: model.predict(data, thread_count=1)


def _input(kind: str) -> Any:
    values = tree_inputs.live()
    if kind == "int8 frame":  # in columns, as from a parquet file
        names = [f"f{i}" for i in range(values.shape[1])]
        return pd.DataFrame(np.asfortranarray(values), columns=names)
    return values.astype(kind.partition(" ")[0])


def _equality(count: int) -> None:
    """Predict random models of all libraries, with the engine and without."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests/acceleration"))
    from equality_run import KINDS, compare

    lines = [
        f"{count} random models: equal to the last bit by the engine, left to the library, or "
        "different; and combinations of settings that the library refuses to train.",
        "",
        "| library | " + " | ".join(KINDS) + " |",
        "|---|---|---|---|---|",
    ]
    for library, found in compare(0, count).items():
        lines.append(f"| {library} | " + " | ".join(str(found[kind]) for kind in KINDS) + " |")
    results.keep("Equality of the tree engine (`make bench_trees EQUALITY=500`)", lines)


def _others() -> None:
    """Other engines of trees, in an environment that is deleted afterwards."""
    with tempfile.TemporaryDirectory() as name:
        venv.create(name, with_pip=True)
        python = Path(name) / "bin/python"
        subprocess.run([python, "-m", "pip", "install", "-qq", *_OTHERS], check=True)
        live = Path(name) / "live.npy"
        np.save(live, tree_inputs.live())
        script = Path(__file__).with_name("trees_others.py")
        model = tree_inputs.model("lightgbm-2000x31")
        done = subprocess.run(
            [python, script, model, live], stdout=subprocess.PIPE, text=True, check=True
        )
    lines = ["LightGBM, 2,000 trees of 31 leaves, one thread, medians of 3.", ""]
    lines += ["| engine | prepare, s | predict, s | equal | differs by |", "|---|---|---|---|---|"]
    for row in map(json.loads, done.stdout.splitlines()):
        if "error" in row:
            lines.append(f"| {row['name']} | {row['error']} | | | |")
        else:
            lines.append(
                f"| {row['name']} | {row['prepare']:.2f} | {row['seconds']:.2f} | {row['equal']} "
                f"| {row['difference']:.0e} |"
            )
    results.keep("Other engines of trees (`make bench_trees OTHERS=1`)", lines)


if __name__ == "__main__":
    main()
