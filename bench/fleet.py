"""The throughput of a fleet run, against one container per model and the limit of the machine.

python bench/fleet.py [MODELS] [TRIVIAL] [--before CHECKOUT]

All in one run, two models at a time: predictions in one process that has everything loaded, the
fleet run, one `docker run` of the image per model. Then the memory of a worker, and a fleet run of
many trivial models; TRIVIAL 0 leaves these two out. With CHECKOUT, another version of this
repository with its own .venv, the fleet runs of both versions alternate instead.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import checkouts
import fleet_scale
import inputs
import results

from numerai_predict.contract.container_run import BindMount, ContainerLimits, ContainerRun
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState

_BENCH = Path(__file__).parent
_DOCKER = os.environ.get("DOCKER", "docker")
_PYTHON = "3.12"
_IMAGE = "numerai_predict_py_3_12:latest-slim"
_IMAGE_PACKAGE = "/usr/local/share/numerai-predict"
_CONCURRENCY = 2
_CONTAINERS = 50
_TURNS = 3


@dataclass(frozen=True)
class _Setup:
    """Where the models and results of the benchmark are, and what runs them."""

    folder: Path
    models: tuple[Path, ...]
    live: Path
    in_containers: bool

    @property
    def title(self) -> str:
        where = f"{_PYTHON} in containers" if self.in_containers else RUNNING_PYTHON
        return (
            f"{len(self.models)} distinct LightGBM models of {inputs.TREES:,} trees, "
            f"{inputs.ROWS:,} x {inputs.FEATURES:,} live data, {_CONCURRENCY} at a time, "
            f"Python {where}."
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="?", type=int, default=200)
    parser.add_argument("trivial", nargs="?", type=int, default=10_000)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="compare with this version")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    in_containers = _succeeds(_DOCKER, "image", "inspect", _IMAGE)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-fleet-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        models = _pack_models(folder, options.models, in_containers)
        setup = _Setup(folder, models, inputs.sample() / "live.parquet", in_containers)
        if options.before is not None:
            lines = _compare_versions(setup, options.before)
            results.keep("The fleet before and after (`bench/fleet.py --before`)", lines)
            return
        lines = [*_speed(setup), "", f"Load of the machine before it began: {load:.1f}."]
        results.keep("The fleet: speed (`make bench_fleet`)", lines)
        if options.trivial:
            image = _IMAGE if in_containers else None
            lines = fleet_scale.measure(folder, setup.live, options.trivial, image)
            results.keep("The fleet: memory (`make bench_fleet`)", lines)


def _pack_models(folder: Path, count: int, in_container: bool) -> tuple[Path, ...]:
    """Distinct LightGBM models, made by the Python that will run them."""
    target = folder / "models"
    target.mkdir()
    arguments = (str(_BENCH / "pack_many.py"), str(inputs.booster()), str(target), str(count))
    command = [sys.executable, *arguments]
    if in_container:
        mounts = (BindMount(_BENCH), BindMount(folder, read_only=False))
        command = _container(arguments, mounts).argv(_DOCKER)
    subprocess.run(command, check=True)
    return tuple(sorted(target.iterdir()))


def _container(arguments: tuple[str, ...], mounts: tuple[BindMount, ...]) -> ContainerRun:
    """A container of the image that runs a Python program on one thread."""
    return ContainerRun(
        _IMAGE,
        arguments,
        entrypoint="python",
        mounts=mounts,
        environment={"OMP_NUM_THREADS": "1"},
        user="0:0",
    )


def _speed(setup: _Setup) -> list[str]:
    # Half of it before the fleet run and half after: the speed of the machine may change.
    first = _bare(setup, setup.models[::2])
    fleet, predict = _fleet(setup, checkouts.CURRENT)
    bare = (first + _bare(setup, setup.models[1::2])) / 2
    libraries = _bare(setup, setup.models[:_CONTAINERS], engine=False)
    lines = [
        setup.title,
        "",
        "| | seconds per model | models per hour | ratio | at least |",
        "|---|---|---|---|---|",
        "| one bare process that has everything loaded, LightGBM itself | "
        f"{libraries:.3f} | {3600 / libraries:,.0f} | | |",
        f"| the same with the tree engine | {bare:.3f} | {3600 / bare:,.0f} | | |",
        f"| the fleet, from its first model to its last | {fleet:.3f} | {3600 / fleet:,.0f} "
        f"| {bare / fleet:.2f} of the limit | 0.8 |",
    ]
    if setup.in_containers:
        for title, options in (
            ("with the tree engine", ()),
            ("`--no-acceleration`", ("--no-acceleration",)),
        ):
            one = _single_containers(setup, *options)
            lines.append(
                f"| one `docker run` of the image per model ({_CONTAINERS} of them), {title} "
                f"| {one:.3f} | {3600 / one:,.0f} | the fleet runs {one / fleet:.1f} times as "
                f"many, the limit itself {one / bare:.1f} | 8 |"
            )
    return [
        *lines,
        "",
        f"In the fleet, the prediction itself took {predict:.3f} s (median). A model takes "
        f"{fleet * _CONCURRENCY:.2f} s of one processor: the s of deploy/ray/README.md, which "
        "computes the price from it.",
    ]


def _compare_versions(setup: _Setup, before: Path) -> list[str]:
    """Alternate the fleet runs of two versions, each turn in the other order."""
    times: dict[Path, list[float]] = {before: [], checkouts.CURRENT: []}
    for turn in range(_TURNS):
        for checkout in list(times)[:: 1 if turn % 2 else -1]:
            times[checkout].append(_fleet(setup, checkout)[0])
    old, new = (statistics.median(seconds) for seconds in times.values())
    return [
        f"Commit {checkouts.commit(before)} before, {checkouts.commit(checkouts.CURRENT)} after; "
        f"medians of {_TURNS} alternating runs. {setup.title}",
        "",
        "| | seconds per model | models per hour | ratio |",
        "|---|---|---|---|",
        f"| before | {old:.3f} | {3600 / old:,.0f} | |",
        f"| after | {new:.3f} | {3600 / new:,.0f} | {new / old:.3f} |",
    ]


def _bare(setup: _Setup, models: tuple[Path, ...], *, engine: bool = True) -> float:
    """Seconds per model in a process that has libraries, data and models in memory."""
    package = _IMAGE_PACKAGE if setup.in_containers else str(_BENCH.parent)
    words = (package if engine else "-", setup.live, _CONCURRENCY, *models)
    arguments = (str(_BENCH / "bare.py"), *map(str, words))
    command = [sys.executable, *arguments]
    if setup.in_containers:
        mounts = (BindMount(_BENCH), BindMount(setup.folder))
        command = _container(arguments, mounts).argv(_DOCKER)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(ended.stdout) / len(models)


def _fleet(setup: _Setup, checkout: Path) -> tuple[float, float]:
    """Seconds per model from the first start to the last delivery, and of a prediction."""
    output = Path(tempfile.mkdtemp(prefix="fleet-", dir=setup.folder))
    command = fleet_scale.command(
        checkout,
        setup.folder / "models",
        output,
        setup.live,
        concurrency=_CONCURRENCY,
        in_containers=setup.in_containers,
    )
    # Not in a checkout: Python would import the package from there.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=setup.folder)
    ledger = FleetLedger(output)
    measured = (ModelState.RUNNING, ModelState.DELIVERED)
    times = [event.at for event in ledger.events() if event.state in measured]
    predict = [(ledger.record(row.id) or {})["seconds"]["predict"] for row in ledger.rows()]
    ledger.close()
    return (max(times) - min(times)) / len(setup.models), statistics.median(predict)


def _single_containers(setup: _Setup, *options: str) -> float:
    """Seconds per model with a container for each."""
    output = Path(tempfile.mkdtemp(prefix="single-", dir=setup.folder))
    models = setup.models[:_CONTAINERS]

    def run(model: Path) -> None:
        arguments = ("--model", model, "--dataset", setup.live, "--output_dir", output, *options)
        container = ContainerRun(
            _IMAGE,
            tuple(map(str, arguments)),
            mounts=(BindMount(setup.folder, read_only=False), BindMount(setup.live.parent)),
            user="0:0",
            limits=ContainerLimits(cpus=1),
        )
        subprocess.run(container.argv(_DOCKER), check=True, capture_output=True)

    started = time.perf_counter()
    with ThreadPoolExecutor(_CONCURRENCY) as pool:
        list(pool.map(run, models))
    return (time.perf_counter() - started) / len(models)


def _succeeds(*command: str) -> bool:
    return (
        bool(shutil.which(command[0]))
        and not subprocess.run(command, capture_output=True).returncode
    )


if __name__ == "__main__":
    main()
