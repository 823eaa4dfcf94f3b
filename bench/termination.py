"""How long a run takes to end after SIGTERM, at moments spread over the whole of a run.

    python bench/termination.py [MOMENTS]

The model waits in its prediction and a server never answers the upload, so that these two steps are
met as often as the others. Exits with 1 where the longest time exceeds a second.
"""

from __future__ import annotations

import argparse
import collections
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cloudpickle
import results

from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.data.synthetic import write_sample

_ROOT = Path(__file__).parents[1]
_MOST_SECONDS = 1.0
_RUN_SECONDS = 6.0  # with the waits of the model and of the upload
_MODEL_SECONDS = 1.0


def _predict(live_features):
    time.sleep(_MODEL_SECONDS)
    ranks = live_features.filter(like="feature_").iloc[:, 0].rank(pct=True, method="first")
    return ranks.to_frame("prediction")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("moments", nargs="?", type=int, default=60)
    options = parser.parse_args()
    found = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as silent:
        command = _command(Path(name), silent.getsockname()[1])
        for moment in range(options.moments):
            step, seconds = _terminate(command, _RUN_SECONDS * moment / options.moments)
            found[step].append(seconds)
    lines = ["| after the step | runs | median ms | longest ms |", "|---|---|---|---|"]
    for step, times in found.items():
        median, longest = 1000 * statistics.median(times), 1000 * max(times)
        lines.append(f"| {step} | {len(times)} | {median:.0f} | {longest:.0f} |")
    lines += ["", f"Load of the machine at the end: {os.getloadavg()[0]:.1f}."]
    results.keep("The end of a run after SIGTERM (`make bench_termination`)", lines)
    return int(max(map(max, found.values())) > _MOST_SECONDS)


def _command(folder: Path, port: int) -> list[str]:
    write_sample(folder / "sample", SampleShape(2_000, 20, 1, 1))
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    (folder / "model.pkl").write_bytes(cloudpickle.dumps(_predict))
    command = [sys.executable, str(_ROOT / "predict.py"), "--model", f"{folder}/model.pkl"]
    command += ["--dataset", f"{folder}/sample/live.parquet", "--output_dir", str(folder)]
    return [*command, "--post_url", f"http://127.0.0.1:{port}/", "--post_data", "key=p.csv"]


def _terminate(command: list[str], after: float) -> tuple[str, float]:
    """The last step that a run logged before SIGTERM, and the seconds until it ended."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(after)
        process.terminate()
        started = time.perf_counter()
        _, log = process.communicate()
        seconds = time.perf_counter() - started
    steps = [line.split()[1] for line in log.splitlines() if line[:2].isdigit()]
    done = [step for step in steps if step not in ("stopped", "warning")]
    return done[-1] if done else "(none)", seconds


if __name__ == "__main__":
    sys.exit(main())
