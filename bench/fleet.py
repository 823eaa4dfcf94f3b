"""The fleet beside one container a model, and beside what the machine can do at all.

python bench/fleet.py [MODELS] [TRIVIAL]

All in one run: predictions in one bare process that has all loaded, the fleet, one `docker run`
of our image a model; two at a time each. Then the memory of a worker, and many trivial models;
TRIVIAL 0 leaves these two out.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import inputs
import results

from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.data.synthetic import SampleShape, write_sample
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState

_ROOT = Path(__file__).parents[1]
_DOCKER = os.environ.get("DOCKER", "docker")
_PYTHON = "3.12"
_IMAGE = "numerai_predict_py_3_12:latest-slim"
_AT_ONCE = 2
_CONTAINERS = 50
_PROGRAM = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    trivial = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    docker = _succeeds(_DOCKER, "image", "inspect", _IMAGE)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-fleet-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        models = _models(folder, count, docker)
        lines = _speed(folder, models, docker)
        lines += ["", f"Load of the machine before it began: {load:.1f}."]
        results.keep("The fleet: speed (`make bench_fleet`)", lines)
        if trivial:
            lines = [*_memory(docker), "", *_trivial(folder, trivial)]
            results.keep("The fleet: memory (`make bench_fleet`)", lines)


def _models(folder: Path, count: int, docker: bool) -> list[Path]:
    """So many LightGBM models, each with leaves of its own."""
    into = folder / "models"
    into.mkdir()
    script = _ROOT / "bench" / "pack_many.py"
    words = [str(inputs.booster()), str(into), str(count)]
    command = [sys.executable, str(script), *words]
    if docker:
        mounts = [_ROOT / "bench", folder]
        command = [_DOCKER, "run", "--rm", "--network", "none", "--user", "0:0"]
        command += [word for m in mounts for word in ("--volume", f"{m}:{m}")]
        command += ["--entrypoint", "python", _IMAGE, str(script), *words]
    subprocess.run(command, check=True)
    return sorted(into.iterdir())


def _speed(folder: Path, models: list[Path], docker: bool) -> list[str]:
    live = inputs.sample() / "live.parquet"
    # Half of it before the fleet, half after: the machine may not be as fast all the time.
    first = _bare(folder, models[::2], live, docker)
    fleet, predict = _fleet(folder, models, live, docker)
    bare = (first + _bare(folder, models[1::2], live, docker)) / 2
    lines = [
        f"{len(models)} distinct LightGBM models of {inputs.TREES:,} trees, {inputs.ROWS:,} x "
        f"{inputs.FEATURES:,} live data, {_AT_ONCE} at a time"
        + (f", Python {_PYTHON} in containers." if docker else f", Python {RUNNING_PYTHON}."),
        "",
        "| | seconds a model | models an hour | ratio | at least |",
        "|---|---|---|---|---|",
        f"| one bare process that has all loaded | {bare:.3f} | {3600 / bare:,.0f} | | |",
        f"| the fleet, from its first model to its last | {fleet:.3f} | {3600 / fleet:,.0f} "
        f"| {bare / fleet:.2f} of the limit | 0.8 |",
    ]
    if docker:
        one = _containers(folder, models[:_CONTAINERS], live)
        lines.append(
            f"| one `docker run` of our image a model ({_CONTAINERS} of them) | {one:.3f} "
            f"| {3600 / one:,.0f} | the fleet makes {one / fleet:.1f} times as many, "
            f"the limit itself {one / bare:.1f} | 5 |"
        )
    cpu = fleet * _AT_ONCE
    lines += [
        "",
        f"In the fleet a model's own prediction took {predict:.3f} s (median). A model takes "
        f"{cpu:.2f} s of one processor: the s of deploy/ray/README.md, which makes a price of it.",
    ]
    return lines


def _bare(folder: Path, models: list[Path], live: Path, docker: bool) -> float:
    """Seconds a model in a process that has libraries, data and models in memory."""
    script = _ROOT / "bench" / "bare.py"
    command = [sys.executable, str(script)]
    if docker:
        command = [_DOCKER, "run", "--rm", "--network", "none", "--user", "0:0"]
        for path in (_ROOT / "bench", folder):
            command += ["--volume", f"{path}:{path}:ro"]
        command += ["--env", "OMP_NUM_THREADS=1", "--entrypoint", "python", _IMAGE, str(script)]
    told = subprocess.run(
        [*command, str(live), str(_AT_ONCE), *map(str, models)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return float(told.stdout) / len(models)


def _fleet(folder: Path, models: list[Path], live: Path, docker: bool) -> tuple[float, float]:
    """Seconds a model from the start of the first to the delivery of the last; of predicting."""
    output = folder / "round"
    output.mkdir()
    command = [sys.executable, "-c", _PROGRAM, "fleet", "run", str(folder / "models")]
    command += ["--output_dir", str(output), "--dataset", str(live)]
    command += ["--benchmarks", str(live.parent / "live_benchmark_models.parquet")]
    command += ["--workers", str(_AT_ONCE), *([] if docker else ["--local"])]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    ledger = FleetLedger(output)
    times = [at for _, fact, at, *_ in ledger.events() if fact in ("running", "delivered")]
    predict = [(ledger.record(row.id) or {})["seconds"]["predict"] for row in ledger.rows()]
    ledger.close()
    return (max(times) - min(times)) / len(models), statistics.median(predict)


def _containers(folder: Path, models: list[Path], live: Path) -> float:
    output = folder / "single"
    output.mkdir()

    def run(model: Path) -> None:
        command = [_DOCKER, "run", "--rm", "--network", "none", "--user", "0:0", "--cpus", "1"]
        for path in (folder, live.parent):
            command += ["--volume", f"{path}:{path}"]
        command += [_IMAGE, "--model", str(model), "--dataset", str(live)]
        subprocess.run([*command, "--output_dir", str(output)], check=True, capture_output=True)

    started = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(run, models))
    return (time.perf_counter() - started) / len(models)


def _memory(docker: bool) -> list[str]:
    """What one more running model takes beside the memory that its own run needs."""
    script = _ROOT / "bench" / "fleet_memory.py"
    live = inputs.sample() / "live.parquet"
    told = subprocess.run(
        [sys.executable, str(script), str(live), *([_IMAGE] if docker else [])],
        check=True,
        capture_output=True,
        text=True,
    )
    lines = ["| models that hold 200 MB each, at once | memory of the worker | each further one, "
             "less its 200 MB | at most |", "|---|---|---|---|"]  # fmt: skip
    first: tuple[int, float] | None = None
    for line in told.stdout.splitlines():
        number, size = int(line.split()[0]), float(line.split()[1]) / 1e6
        more = "" if first is None else f"{(size - first[1]) / (number - first[0]) - 200:.0f} MB"
        first = first or (number, size)
        lines.append(f"| {number} | {size:,.0f} MB | {more} | {'60 MB' if more else ''} |")
    return lines


def _trivial(folder: Path, count: int) -> list[str]:
    """The agent's memory, and the ledger's pace, over many models that do next to nothing."""
    sample = folder / "small"
    write_sample(sample, SampleShape(100, rows=20, train_eras=1, validation_eras=1, features=50))
    into, output = folder / "trivial", folder / "many"
    for path in (into, output):
        path.mkdir()
    subprocess.run([sys.executable, str(_ROOT / "bench/pack_trivial.py"), str(into / "m.pkl")],
                   check=True)  # fmt: skip
    rows = "".join(f"m{number:05},{into / 'm.pkl'}\n" for number in range(count))
    (folder / "many.csv").write_text("id,model\n" + rows)
    command = [sys.executable, "-c", _PROGRAM, "fleet", "run", str(folder / "many.csv")]
    command += ["--output_dir", str(output), "--dataset", str(sample / "live.parquet"), "--local"]
    command += ["--benchmarks", str(sample / "live_benchmark_models.parquet")]
    agent = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    )
    sizes: list[tuple[int, int]] = []
    started = time.perf_counter()
    while agent.poll() is None:
        time.sleep(1.0)
        done = (
            sum(1 for _ in (output / "records").iterdir()) if (output / "records").is_dir() else 0
        )
        if size := _resident(agent.pid):
            sizes.append((done, size))
    seconds = time.perf_counter() - started
    early = [size for done, size in sizes if count * 0.1 <= done <= count * 0.2]
    late = [size for done, size in sizes if done >= count * 0.9]
    grown = (statistics.median(late) - statistics.median(early)) / 1e6 if early and late else 0.0
    return [
        f"{count:,} trivial models: {seconds / count * 1000:.0f} ms each. The agent's memory: "
        f"{statistics.median(early or [0]) / 1e6:.0f} MB after a tenth of them, "
        f"{statistics.median(late or [0]) / 1e6:.0f} MB after nine tenths ({grown:+.1f} MB). "
        f"An operation of the ledger, with {count:,} models in it: "
        f"{_ledger_milliseconds(output):.2f} ms (99 of 100 below; at most 2).",
    ]


def _ledger_milliseconds(output: Path) -> float:
    ledger, times = FleetLedger(output), []
    for number in range(500):
        for operation in _operations(ledger, f"m{number % 1000:05}"):
            started = time.perf_counter()
            operation()
            times.append((time.perf_counter() - started) * 1000)
    ledger.close()
    return statistics.quantiles(times, n=100)[98]


def _operations(ledger: FleetLedger, name: str) -> list[Callable[[], object]]:
    return [
        lambda: ledger.record_event(name, ModelState.RUNNING, worker="w"),
        lambda: ledger.state(name),
        lambda: ledger.record(name),
        lambda: ledger.count_losses(name),
    ]


def _resident(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _succeeds(*command: str) -> bool:
    return (
        bool(shutil.which(command[0]))
        and not subprocess.run(command, capture_output=True).returncode
    )


if __name__ == "__main__":
    main()
