"""What the isolation layers cost a run: CPU and wall time with and without them, in turns.

python bench/isolation.py [RUNS]

First the layers alone: a process that applies them and ends, beside one that applies the limits
only. Then whole runs of predict.py with a model that does almost nothing. CPU time is that of all
processes of a run. Exits with 1 where the layers alone cost more CPU time than their limit: wall
time, and the CPU time of a whole run, depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import results

from numerai_predict.contract.bootstrap import PACKAGE
from numerai_predict.contract.limits import Limits
from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.data.synthetic import write_sample
from numerai_predict.resources.cpu_quota import usable_cpus
from numerai_predict.resources.model_cgroup import create_model_cgroup
from numerai_predict.sandbox.apply import SandboxSpec
from numerai_predict.sandbox.identity import identity_for_model
from numerai_predict.sandbox.scratch import create_scratch

_ROOT = Path(__file__).parents[1]
_LIMIT_SECONDS = 0.020
# Applies the layers of a model process whose specification is the first argument.
_APPLY = """
import json, sys
sys.path.insert(0, sys.argv[3])
from numerai_predict.sandbox import apply
from numerai_predict.sandbox.namespaces import NamespaceLayers
spec = apply.SandboxSpec.from_dict(json.loads(sys.argv[1]))
if sys.argv[2] == "no namespaces":
    apply.enter_namespaces = lambda root: NamespaceLayers()
layers = (apply.apply_limits_only if sys.argv[2] == "off" else apply.apply_sandbox)(spec)
expected = {"off": False, "no namespaces": False, "on": True}[sys.argv[2]]
assert ("pid_namespace" in layers.engaged and layers.engaged["pid_namespace"] != "off") == expected
assert not layers.missing, layers.missing
"""
_LAYERS_ALONE = {"off": "the limits only", "no namespaces": "no namespaces", "on": "every layer"}
_WHOLE_RUNS = {"off": "`--sandbox off`", "auto": "every layer"}


@dataclass(frozen=True)
class Cost:
    """Seconds of one run."""

    cpu: float
    wall: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="?", type=int, default=25, help="runs of each kind")
    options = parser.parse_args()
    lines = [
        f"Medians of {options.runs} turns, and of the differences within each turn.",
        "",
        "| layers alone | CPU ms | wall ms | more CPU ms | more wall ms | at most |",
        "|---|---|---|---|---|---|",
    ]
    alone = _measure(list(_LAYERS_ALONE), _apply_layers, options.runs)
    rows, more = _rows(alone, _LAYERS_ALONE, f" +{_LIMIT_SECONDS * 1000:.0f} |")
    lines += [*rows, "", "| run | CPU ms | wall ms | more CPU ms | more wall ms |"]
    with tempfile.TemporaryDirectory() as name:
        write_sample(Path(name, "sample"), SampleShape(300, 20, 1, 1))
        pack = [sys.executable, str(_ROOT / "bench/pack_trivial.py"), f"{name}/model.pkl"]
        subprocess.run(pack, check=True)
        runs = _measure(list(_WHOLE_RUNS), functools.partial(_run, name), options.runs)
    lines += ["|---|---|---|---|---|", *_rows(runs, _WHOLE_RUNS, "")[0], ""]
    lines += [f"A control group: {_control_group_ms(options.runs):.1f} ms of CPU time."]
    lines += [f"Load of the machine at the end: {os.getloadavg()[0]:.1f}."]
    results.keep("The isolation layers (`make bench_isolation`)", lines)
    return int(more > _LIMIT_SECONDS)


def _apply_layers(kind: str) -> Cost:
    """Apply the layers in a process that then ends."""
    identity = identity_for_model(PACKAGE)
    with create_scratch(identity) as scratch:
        spec = asdict(SandboxSpec(str(PACKAGE), scratch, (), Limits(), identity))
        return _cost([sys.executable, "-c", _APPLY, json.dumps(spec), kind, str(_ROOT)])


def _run(folder: str, sandbox: str) -> Cost:
    """Run the model in the directory by predict.py."""
    command = [sys.executable, str(_ROOT / "predict.py"), "--model", f"{folder}/model.pkl"]
    command += ["--dataset", f"{folder}/sample/live.parquet", "--output_dir", folder]
    return _cost([*command, "--sandbox", sandbox])


def _control_group_ms(runs: int) -> float:
    """The CPU time of this process to make, enter and remove a model's control group."""
    used = []
    for _ in range(runs):
        with subprocess.Popen(["sleep", "60"]) as process:
            started = time.process_time()
            group = create_model_cgroup(Limits(), usable_cpus(), process.pid)
            process.kill()
            process.wait()
            group.remove()
            used.append(time.process_time() - started)
    return statistics.median(used) * 1000


def _measure(kinds: list[str], run: Callable[[str], Cost], turns: int) -> dict[str, list[Cost]]:
    """Run the kinds in turns, which reverses their order each time."""
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    for turn in range(turns + 1):  # the first turn fills the page cache and is not counted
        for kind in kinds[:: 1 if turn % 2 else -1]:
            cost = run(kind)
            if turn:
                costs[kind].append(cost)
    return costs


def _cost(command: list[str]) -> Cost:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - started)


def _rows(
    costs: dict[str, list[Cost]], names: dict[str, str], limit: str
) -> tuple[list[str], float]:
    """The rows of a table, and how much more CPU time the last kind took than "off".

    `limit` is the cell of the limit, if the table has one.
    """
    rows = []
    more_cpu = 0.0
    for kind, measured in costs.items():
        cpu, wall = (_median(measured, which) for which in ("cpu", "wall"))
        row = f"| {names[kind]} | {cpu * 1000:.1f} | {wall * 1000:.1f} "
        if kind == "off":
            rows.append(f"{row}| | |{' |' if limit else ''}")
            continue
        pairs = zip(measured, costs["off"], strict=True)
        more = [Cost(one.cpu - off.cpu, one.wall - off.wall) for one, off in pairs]
        more_cpu, more_wall = (_median(more, which) for which in ("cpu", "wall"))
        rows.append(f"{row}| {more_cpu * 1000:+.1f} | {more_wall * 1000:+.1f} |{limit}")
    return rows, more_cpu


def _median(costs: list[Cost], which: str) -> float:
    return statistics.median(getattr(cost, which) for cost in costs)


if __name__ == "__main__":
    sys.exit(main())
