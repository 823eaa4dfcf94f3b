"""The peak memory of a training, and its time against a bare LightGBM script.

python bench/train.py [ROWS]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import results

from numerai_predict.contract.limits import format_size
from numerai_predict.resources.memory import available_bytes

FULL_ROWS, FEATURES, ERA_ROWS = 2_700_000, 2_750, 4_740
ERAS_PER_GROUP = 50
# The bare script is compared on a part of the data, so that a boosting round takes seconds.
PART_ROWS, PART_ROUNDS, TURNS = 100_000, 10, 3
NEEDED_DISK, NEEDED_MEMORY = 5 * 1024**3, 12 * 1024**3

_CONFIG = {
    "features": "all",
    "rounds": 2,
    "early_stopping": 0,
    "evaluate_every": 1,
    "seeds": [42],
    "device": "cpu",
    "data": {"files": ["train"]},
    "validation": {
        "windows": 1,
        "window_eras": 6,
        "stopping_eras": 6,
        "holdout_eras": 6,
        "fnc_features": "small",
    },
}
_COMPARE = """
import sys, time
from pathlib import Path
import lightgbm
import numpy as np
from numerai_predict.data.era_table import EraTable
from numerai_predict.resources.cpu_quota import usable_cpus
from numerai_predict.training.early_stopping import EarlyStopping, StoppingRule
from numerai_predict.training.trainers.interface import TrainingRows
from numerai_predict.training.trainers.lightgbm import LightGBM
from numerai_predict.training.trainers.parameters import LightGBMSettings

path, binary = Path(sys.argv[1]), sys.argv[2]
rows, rounds, turns = map(int, sys.argv[3:])
names = [f"feature_{number:04d}" for number in range(2750)]
history = EraTable.of([path], [*names, "target"])
target = history.column("target")
trainer = LightGBM(LightGBMSettings(), "cpu", usable_cpus())


def load(mask):
    return trainer.load(TrainingRows(history, mask, names, target[mask]))


place = np.arange(len(target))
training, stopping = place < rows, (place >= rows) & (place < rows * 11 // 10)
load(training).save_binary(binary)
load(stopping).save_binary(binary + ".stopping")
parameters = {**trainer.facts()["parameters"], "metric": "rmse", "num_threads": usable_cpus()}
rule = StoppingRule("corr", 10, 0, rounds)
for turn in range(turns):
    for side in ("bare", "ours")[:: 1 if turn % 2 else -1]:
        data = lightgbm.Dataset(binary, params=parameters).construct()
        valid = lightgbm.Dataset(binary + ".stopping", reference=data, params=parameters)
        valid.construct()
        started = time.perf_counter()
        if side == "bare":
            stop = [lightgbm.early_stopping(300)]
            lightgbm.train(parameters, data, rounds, [valid], callbacks=stop)
        else:
            eras = history.eras[stopping]
            observer = EarlyStopping(rule, target[stopping], eras, lambda done: None)
            trainer.fit(data, valid, 42, rounds, observer)
        print("took", side, time.perf_counter() - started, flush=True)
"""


def main() -> None:
    """Measure, print and store the results."""
    rows = int(sys.argv[1]) if sys.argv[1:] else _affordable()
    inputs = Path(__file__).parent / ".inputs"
    inputs.mkdir(exist_ok=True)
    part = min(PART_ROWS, rows // 2)
    with tempfile.TemporaryDirectory(prefix="train-", dir=inputs) as name:
        folder = Path(name)
        started = time.perf_counter()
        made = write(folder, rows)
        size = format_size((folder / "train.parquet").stat().st_size)
        print(f"made {made:,} rows, {size}, in {time.perf_counter() - started:.0f} s", flush=True)
        peak, seconds = measured(folder)
        bare, ours = _compare(folder, part)
    share = "the full set" if rows >= FULL_ROWS else f"{rows / FULL_ROWS:.2f} of the full set"
    ratio = ours / bare
    results.keep(
        "Training (`make bench_train`)",
        [
            f"{made:,} rows x {FEATURES:,} int8 features ({share}), generated; LightGBM with its",
            "default parameters, two models of 2 boosting rounds (one window, then the final one),",
            "scored and bundled. Peak is of the whole process, interpreter and libraries included.",
            "",
            "| peak | bytes per row | of the int8 features | at most | seconds |",
            "|---|---|---|---|---|",
            f"| {peak / 1e9:.2f} GB | {peak / made:,.0f} | {peak / made / FEATURES:.2f} "
            f"| {12 * made / FULL_ROWS:.1f} GB | {seconds:.0f} |",
            "",
            f"On {part:,} of these rows, binned once, {PART_ROUNDS} boosting rounds with "
            f"stopping rows, alternating, the fastest of {TURNS} each:",
            "",
            "| | seconds | ratio | at most |",
            "|---|---|---|---|",
            f"| a bare LightGBM script | {bare:.1f} | | |",
            f"| our trainer | {ours:.1f} | {ratio:.2f} | 1.1 |",
        ],
    )


def _affordable() -> int:
    """The full size if disk and memory suffice, else a quarter of it."""
    disk = shutil.disk_usage(Path(__file__).parent).free
    enough = disk > NEEDED_DISK and available_bytes() > NEEDED_MEMORY
    return FULL_ROWS if enough else FULL_ROWS // 4


def write(folder: Path, rows: int) -> int:
    """Write train.parquet, with a weak signal, and features.json; returns the rows (whole eras)."""
    names = [f"feature_{number:04d}" for number in range(FEATURES)]
    sets = {"small": names[:42], "medium": names[:780], "all": names}
    facts = {"feature_sets": sets, "targets": ["target"]}
    (folder / "features.json").write_text(json.dumps(facts))
    schema = pa.schema(
        [("id", pa.string()), ("era", pa.string())]
        + [(name, pa.int8()) for name in names]
        + [("target", pa.float32())]
    )
    random = np.random.default_rng(1)
    eras = round(rows / ERA_ROWS)
    with pq.ParquetWriter(
        folder / "train.parquet", schema, compression="none", write_statistics=False
    ) as writer:
        for first in range(0, eras, ERAS_PER_GROUP):
            numbers = range(first, min(eras, first + ERAS_PER_GROUP))
            writer.write_table(_group(random, schema, numbers))
    return eras * ERA_ROWS


def _group(random: np.random.Generator, schema: pa.Schema, eras: range) -> pa.Table:
    rows = len(eras) * ERA_ROWS
    columns = [random.integers(0, 5, rows, dtype=np.int8) for _ in range(FEATURES)]
    signal = sum(column.astype(np.float32) - 2 for column in columns[:12])
    score = 0.05 * signal / signal.std() + random.standard_normal(rows)
    edges = np.quantile(score, [0.05, 0.25, 0.75, 0.95])
    target = (np.searchsorted(edges, score) / 4).astype(np.float32)
    start = eras[0] * ERA_ROWS
    ids = [f"n{number:015x}" for number in range(start, start + rows)]
    era = np.repeat([f"{number + 1:04d}" for number in eras], ERA_ROWS)
    return pa.table(
        [pa.array(ids), pa.array(era), *map(pa.array, columns), pa.array(target)], schema
    )


def measured(folder: Path, trainer: str = "lightgbm") -> tuple[int, float]:
    """The peak memory of the training process in bytes, and its seconds."""
    config = folder / "train.yaml"
    own = {"output": str(folder / "model"), "data": {"directory": str(folder), "files": ["train"]}}
    config.write_text(json.dumps({**_CONFIG, **own, "trainer": trainer}))
    started = time.perf_counter()
    words = [Path(sys.executable).with_name("numerai-predict"), "train", config]
    with subprocess.Popen(words) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the training ended with {process.returncode}")
    return used.ru_maxrss * 1024, time.perf_counter() - started


def _compare(folder: Path, rows: int) -> tuple[float, float]:
    """The seconds of the bare script and of our trainer."""
    sizes = map(str, (rows, PART_ROUNDS, TURNS))
    words = [sys.executable, "-c", _COMPARE, str(folder / "train.parquet"), str(folder / "bins")]
    ended = subprocess.run([*words, *sizes], check=True, capture_output=True, text=True)
    took: dict[str, list[float]] = {"bare": [], "ours": []}
    for line in ended.stdout.splitlines():
        if line.startswith("took "):
            _, side, seconds = line.split()
            took[side].append(float(seconds))
    print(took, flush=True)
    return min(took["bare"]), min(took["ours"])


if __name__ == "__main__":
    main()
