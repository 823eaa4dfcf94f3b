"""The size of the images and the time of a `docker run`, against their targets.

    python bench/images.py [RUNS]

Needs the images of Python 3.12, built: `make bench_images` builds them first.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import inputs
import results

from numerai_predict.contract.container_run import BindMount, ContainerRun

_DOCKER = os.environ.get("DOCKER", "docker")
_HERE = Path(__file__).parent
_FULL = "numerai_predict_py_3_12:latest"
_SLIM = f"{_FULL}-slim"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        _pack(folder)
        start = {image: _median_start(image, folder, runs) for image in (_FULL, _SLIM)}
    lines = [
        "Sizes as the engine reports them; seconds of wall time of a `docker run` of a "
        f"two-argument model of {inputs.TREES:,} trees on {inputs.ROWS:,} x {inputs.FEATURES:,} "
        f"live data, median of {runs}.",
        "",
        "| | today's runner, 3.12 | here | at most |",
        "|---|---|---|---|",
        f"| full image | 17.0 GB | {_gigabytes(_FULL):.2f} GB | 10.5 GB |",
        f"| slim image | | {_gigabytes(_SLIM):.2f} GB | 2.0 GB |",
        f"| `docker run`, full image | 6.0 s | {start[_FULL]:.2f} s | 2.6 s |",
        f"| `docker run`, slim image | | {start[_SLIM]:.2f} s | 2.6 s |",
        f"| packages that the lock does not name | Poetry and its own | {_unlocked()} | 0 |",
    ]
    results.keep("The images (`make bench_images`)", lines)


def _pack(folder: Path) -> None:
    """Pickle the models with the image's own Python."""
    inputs.booster()
    arguments = (_HERE / "pack.py", inputs.booster(), folder)
    container = ContainerRun(
        _SLIM,
        tuple(map(str, arguments)),
        entrypoint="python",
        mounts=(BindMount(_HERE), BindMount(folder, read_only=False)),
    )
    subprocess.run(container.argv(_DOCKER), check=True)


def _median_start(image: str, folder: Path, runs: int) -> float:
    sample = inputs.sample()
    arguments = ["--model", str(folder / "two_arguments.pkl"), "--output_dir", str(folder)]
    arguments += ["--dataset", str(sample / "live.parquet")]
    arguments += ["--benchmarks", str(sample / "live_benchmark_models.parquet")]
    mounts = (BindMount(sample), BindMount(folder, read_only=False))
    command = ContainerRun(image, tuple(arguments), mounts=mounts).argv(_DOCKER)
    times = []
    for _ in range(runs + 1):  # the first one fills the page cache and is not counted
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def _gigabytes(image: str) -> float:
    command = [_DOCKER, "image", "inspect", "--format", "{{.Size}}", image]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1e9


def _unlocked() -> int:
    root = _HERE.parent
    arguments = (str(root / "images/contents.py"), str(root / "py3.12/requirements.txt"))
    container = ContainerRun(_FULL, arguments, entrypoint="python", mounts=(BindMount(root),))
    ended = subprocess.run(container.argv(_DOCKER), check=True, capture_output=True)
    report = json.loads(ended.stdout)
    return len(report["unlocked"])


if __name__ == "__main__":
    main()
