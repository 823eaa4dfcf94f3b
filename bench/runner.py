"""The overhead of the runner: its wall time against a bare script's, and that of its sandbox.

python bench/runner.py [RUNS] [--before CHECKOUT]

CHECKOUT is another version of this repository with its own .venv; the runs of both versions
alternate, and their medians and ratio are printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import checkouts
import inputs
import results

_ROOT = Path(__file__).parents[1]
_CORES = {"two cores": {0, 1}, "one core": {0}}
_SANDBOX_SECONDS = 0.03
_BUDGET_SECONDS = {"two cores": 0.35, "one core": 0.6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="?", type=int, default=9, help="runs of each command")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="compare with this version")
    options = parser.parse_args()
    pack = [sys.executable, str(_ROOT / "bench/pack.py"), str(inputs.booster()), str(inputs.FOLDER)]
    subprocess.run(pack, check=True)
    with tempfile.TemporaryDirectory() as name:
        if options.before is not None:
            _compare_versions(options.before, Path(name), options.runs)
        else:
            _compare_with_script(Path(name), options.runs)


def _compare_with_script(output: Path, runs: int) -> None:
    script, runner = _script(output), _runner(checkouts.CURRENT, output)
    lines = [
        f"{inputs.TREES:,} trees, {inputs.ROWS:,} x {inputs.FEATURES:,} live data, "
        f"medians of {runs} alternating runs, seconds of wall time.",
        "",
        "| on | bare script | predict.py | difference | ratio | at most |",
        "|---|---|---|---|---|---|",
    ]
    for name, cores in _CORES.items():
        bare, whole = _alternate((script, runner), cores, runs)
        lines.append(
            f"| {name} | {bare:.2f} | {whole:.2f} | {whole - bare:+.2f} | {whole / bare:.2f} "
            f"| +{_BUDGET_SECONDS[name]:.2f} |"
        )
    lines += ["", "| on | `--sandbox off` | every layer | difference | at most |"]
    lines += ["|---|---|---|---|---|"]
    for name, cores in _CORES.items():
        off, on = _alternate(([*runner, "--sandbox", "off"], runner), cores, 2 * runs)
        lines.append(
            f"| {name} | {off:.3f} | {on:.3f} | {on - off:+.3f} | +{_SANDBOX_SECONDS:.3f} |"
        )
    results.keep("The runner and a bare script (`make bench`)", lines)


def _compare_versions(before: Path, output: Path, runs: int) -> None:
    commands = _script(output), _runner(before, output), _runner(checkouts.CURRENT, output)
    lines = [
        f"Commit {checkouts.commit(before)} before, {checkouts.commit(checkouts.CURRENT)} after; "
        f"{inputs.TREES:,} trees, {inputs.ROWS:,} x {inputs.FEATURES:,} live data, "
        f"medians of {runs} alternating runs, seconds of wall time.",
        "",
        "| on | bare script | before | after | ratio | overhead before | overhead after |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, cores in _CORES.items():
        bare, old, new = _alternate(commands, cores, runs)
        lines.append(
            f"| {name} | {bare:.3f} | {old:.3f} | {new:.3f} | {new / old:.3f} "
            f"| {old - bare:+.3f} | {new - bare:+.3f} |"
        )
    results.keep("The runner before and after (`bench/runner.py --before`)", lines)


def _script(output: Path) -> list[str]:
    """The command of the bare script."""
    script = [sys.executable, str(_ROOT / "bench/floor.py")]
    return [*script, str(_model()), str(_live()), str(output / "floor.csv")]


def _runner(checkout: Path, output: Path) -> list[str]:
    """The command of a checkout's predict.py."""
    command = [str(checkouts.python(checkout)), str(checkout / "predict.py")]
    command += ["--model", str(_model()), "--dataset", str(_live())]
    return [*command, "--output_dir", str(output)]


def _model() -> Path:
    return inputs.FOLDER / "one_argument.pkl"


def _live() -> Path:
    return inputs.sample() / "live.parquet"


def _alternate(commands: Sequence[list[str]], cores: set[int], runs: int) -> list[float]:
    """The median seconds of each command on these cores; every turn reverses their order."""
    os.sched_setaffinity(0, cores)
    times: list[list[float]] = [[] for _ in commands]
    for turn in range(runs + 1):  # the first turn fills the page cache and is not counted
        order = list(range(len(commands)))[:: 1 if turn % 2 else -1]
        for index in order:
            times[index].append(_seconds(commands[index]))
    return [statistics.median(each[1:]) for each in times]


def _seconds(command: list[str]) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
