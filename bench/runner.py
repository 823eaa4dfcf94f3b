"""What the runner costs: its wall time beside that of a bare script, and that of its sandbox.

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
_PLACES = {"two cores": {0, 1}, "one core": {0}}
_SANDBOX_SECONDS = 0.03
_BUDGET_SECONDS = {"two cores": 0.35, "one core": 0.6}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    model, sample = inputs.FOLDER / "one_argument.pkl", inputs.sample()
    pack = [sys.executable, str(_ROOT / "bench/pack.py"), str(inputs.booster()), str(inputs.FOLDER)]
    subprocess.run(pack, check=True)
    live = str(sample / "live.parquet")
    folder = tempfile.mkdtemp()
    floor = [sys.executable, str(_ROOT / "bench/floor.py"), str(model), live, f"{folder}/floor.csv"]
    ours = [sys.executable, str(_ROOT / "predict.py"), "--model", str(model), "--dataset", live]
    ours += ["--output_dir", folder]
    lines = [
        f"{inputs.TREES:,} trees, {inputs.ROWS:,} x {inputs.FEATURES:,} live data, "
        f"medians of {runs} pairs in turn, seconds of wall time.",
        "",
        "| on | bare script | predict.py | difference | ratio | at most |",
        "|---|---|---|---|---|---|",
    ]
    try:
        for place, cores in _PLACES.items():
            bare, whole = _in_turn((floor, ours), cores, runs)
            lines.append(
                f"| {place} | {bare:.2f} | {whole:.2f} | {whole - bare:+.2f} | {whole / bare:.2f} "
                f"| +{_BUDGET_SECONDS[place]:.2f} |"
            )
        lines += ["", "| on | `--sandbox off` | every layer | difference | at most |"]
        lines += ["|---|---|---|---|---|"]
        for place, cores in _PLACES.items():
            off, on = _in_turn(([*ours, "--sandbox", "off"], ours), cores, 2 * runs)
            lines.append(
                f"| {place} | {off:.3f} | {on:.3f} | {on - off:+.3f} | +{_SANDBOX_SECONDS:.3f} |"
            )
    finally:
        shutil.rmtree(folder)
    results.keep("The runner beside a bare script (`make bench`)", lines)


def _in_turn(commands: tuple[list[str], ...], cores: set[int], runs: int) -> list[float]:
    """Median seconds of each command, run one after the other on these cores."""
    os.sched_setaffinity(0, cores)
    times = [[_seconds(command) for command in commands] for _ in range(runs + 1)]
    warm = times[1:]
    return [statistics.median(pair[side] for pair in warm) for side in range(len(commands))]


def _seconds(command: list[str]) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
