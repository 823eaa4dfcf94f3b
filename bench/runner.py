"""What the runner costs: its wall time beside that of a bare script, in turn.

python bench/runner.py [RUNS]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import inputs
import results

_ROOT = Path(__file__).parents[1]
_BUDGET_SECONDS = {"two cores": 0.35, "one core": 0.6}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    model, sample = inputs.FOLDER / "one_argument.pkl", inputs.sample()
    pack = [sys.executable, str(_ROOT / "bench/pack.py"), str(inputs.booster()), str(inputs.FOLDER)]
    subprocess.run(pack, check=True)
    lines = [
        f"{inputs.TREES:,} trees, {inputs.ROWS:,} x {inputs.FEATURES:,} live data, "
        f"medians of {runs} pairs in turn, seconds of wall time.",
        "",
        "| on | bare script | predict.py | difference | ratio | at most |",
        "|---|---|---|---|---|---|",
    ]
    for place, cores in (("two cores", {0, 1}), ("one core", {0})):
        floor, ours = _measure(model, sample / "live.parquet", cores, runs)
        lines.append(
            f"| {place} | {floor:.2f} | {ours:.2f} | {ours - floor:+.2f} | {ours / floor:.2f} "
            f"| +{_BUDGET_SECONDS[place]:.2f} |"
        )
    results.keep("The runner beside a bare script (`make bench`)", lines)


def _measure(model: Path, live: Path, cores: set[int], runs: int) -> tuple[float, float]:
    os.sched_setaffinity(0, cores)
    folder = tempfile.mkdtemp()
    floor = [sys.executable, str(_ROOT / "bench/floor.py"), str(model), str(live)]
    ours = [sys.executable, str(_ROOT / "predict.py"), "--model", str(model)]
    commands = (
        [*floor, f"{folder}/floor.csv"],
        [*ours, "--dataset", str(live), "--output_dir", folder],
    )
    try:
        times = [[_seconds(command) for command in commands] for _ in range(runs + 1)]
    finally:
        shutil.rmtree(folder)
    warm = times[1:]
    return tuple(statistics.median(pair[side] for pair in warm) for side in (0, 1))


def _seconds(command: list[str]) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
