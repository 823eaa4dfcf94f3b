"""The memory of a worker and of the coordinator, and the ledger with many models in it."""

from __future__ import annotations

import functools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import checkouts

from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.data.synthetic import write_sample
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState

_BENCH = Path(__file__).parent
_PROGRAM = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"
_HELD_MEGABYTES = 200


def command(
    checkout: Path,
    manifest: Path,
    output: Path,
    live: Path,
    *,
    concurrency: int | None = None,
    in_containers: bool = False,
) -> list[str]:
    """The command of a fleet run by a checkout's code, in the spelling of its options."""
    program = [str(checkouts.python(checkout)), "-c", _PROGRAM, "fleet", "run"]
    options = [str(manifest), "--output_dir", str(output), "--dataset", str(live)]
    options += ["--benchmarks", str(live.parent / "live_benchmark_models.parquet")]
    accepted = _help(tuple(program))
    if concurrency is not None:
        name = "--concurrency" if "--concurrency" in accepted else "--workers"
        options += [name, str(concurrency)]
    if not in_containers:
        options.append("--no-container" if "--no-container" in accepted else "--local")
    return [*program, *options]


@functools.cache
def _help(program: tuple[str, ...]) -> str:
    ended = subprocess.run([*program, "--help"], capture_output=True, text=True, cwd="/")
    return ended.stdout


def measure(folder: Path, live: Path, count: int, image: str | None) -> list[str]:
    """The lines on memory: of a worker, then of the coordinator over `count` trivial models."""
    return [*_worker_memory(live, image), "", *_coordinator_memory(folder, count)]


def _worker_memory(live: Path, image: str | None) -> list[str]:
    """The memory that each further running model takes beyond its own."""
    script = [sys.executable, str(_BENCH / "fleet_memory.py"), str(live)]
    ended = subprocess.run(
        [*script, image] if image else script, check=True, capture_output=True, text=True
    )
    lines = [
        f"| models that hold {_HELD_MEGABYTES} MB each, at once | memory of the worker "
        f"| each further one, without its {_HELD_MEGABYTES} MB | at most |",
        "|---|---|---|---|",
    ]
    first: tuple[int, float] | None = None
    for line in ended.stdout.splitlines():
        number, size = int(line.split()[0]), float(line.split()[1]) / 1e6
        if first is None:
            first = number, size
            lines.append(f"| {number} | {size:,.0f} MB | | |")
        else:
            further = (size - first[1]) / (number - first[0]) - _HELD_MEGABYTES
            lines.append(f"| {number} | {size:,.0f} MB | {further:.0f} MB | 60 MB |")
    return lines


def _coordinator_memory(folder: Path, count: int) -> list[str]:
    """Memory of the coordinator and speed of the ledger, over many trivial models."""
    output = folder / "many"
    output.mkdir()
    started = time.perf_counter()
    sizes = _sample_memory(_trivial_run(folder, output, count), output)
    seconds = time.perf_counter() - started
    early = [size for done, size in sizes if count * 0.1 <= done <= count * 0.2]
    late = [size for done, size in sizes if done >= count * 0.9]
    growth = (statistics.median(late) - statistics.median(early)) / 1e6 if early and late else 0.0
    return [
        f"{count:,} trivial models: {seconds / count * 1000:.0f} ms each. Memory of the "
        f"coordinator: {statistics.median(early or [0]) / 1e6:.0f} MB after a tenth of them, "
        f"{statistics.median(late or [0]) / 1e6:.0f} MB after nine tenths ({growth:+.1f} MB). "
        f"An operation of the ledger, with {count:,} models in it: "
        f"{_ledger_milliseconds(output):.2f} ms (99th percentile; at most 2).",
    ]


def _trivial_run(folder: Path, output: Path, count: int) -> subprocess.Popen[bytes]:
    sample, model = folder / "small", folder / "trivial.pkl"
    write_sample(sample, SampleShape(100, rows=20, train_eras=1, validation_eras=1, features=50))
    subprocess.run([sys.executable, str(_BENCH / "pack_trivial.py"), str(model)], check=True)
    manifest = folder / "many.csv"
    rows = "".join(f"m{number:05},{model}\n" for number in range(count))
    manifest.write_text("id,model\n" + rows)
    argv = command(checkouts.CURRENT, manifest, output, sample / "live.parquet")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=environment, cwd=folder)


def _sample_memory(coordinator: subprocess.Popen[bytes], output: Path) -> list[tuple[int, int]]:
    """How many models had ended and the bytes of the coordinator, each second of its run."""
    sizes = []
    records = output / "records"
    while coordinator.poll() is None:
        time.sleep(1.0)
        done = sum(1 for _ in records.iterdir()) if records.is_dir() else 0
        if size := _resident_bytes(coordinator.pid):
            sizes.append((done, size))
    return sizes


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


def _resident_bytes(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
