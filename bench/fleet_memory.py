"""The memory of one worker while it runs one model, and while it runs four.

python bench/fleet_memory.py LIVE [IMAGE]

Every model reads the whole live data and holds 200 MB. Prints how many ran and the bytes of all
processes of the worker, each shared page counted once.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cloudpickle
import numpy as np

from numerai_predict.contract.container_run import BindMount, ContainerRun
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.pool.launch import WorkerSpec, path_in_worker
from numerai_predict.fleet.pool.worker_client import WorkerClient
from numerai_predict.fleet.worker.messages import RunRequest
from numerai_predict.resources.memory import proportional_bytes
from numerai_predict.resources.process_tree import descendants

_DOCKER = os.environ.get("DOCKER", "docker")
_HELD_BYTES = 200_000_000
_SECONDS = 12


def model(bytes_held, seconds):
    def predict(live_features):
        import time

        features = [name for name in live_features.columns if name.startswith("feature_")]
        total = sum(int(live_features[name].sum()) for name in features)
        held = np.ones(bytes_held, dtype=np.uint8)
        time.sleep(seconds)
        rank = live_features[features[total % 7]].rank(pct=True, method="first")
        return (rank + held[0] * 0).to_frame("prediction")

    return predict


def main():
    live, image = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory(prefix="bench-fleet-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(live, folder / "live.parquet")
        code = pack(folder, image)
        environment = Environment(
            "3.12" if image else RUNNING_PYTHON, "slim" if image else LOCAL, image
        )
        worker = WorkerClient(
            WorkerSpec(environment, folder, folder / "live.parquet", None, 4, engine=_DOCKER)
        )
        try:
            for count in (1, 4):
                path = path_in_worker(worker._spec, code)
                print(count, measured(worker, count, path), flush=True)
        finally:
            worker.close()


def pack(folder, image):
    path = folder / "holder.pkl"
    if image is None:
        path.write_bytes(cloudpickle.dumps(model(_HELD_BYTES, _SECONDS)))
        return path
    container = ContainerRun(
        image,
        ("/code/bench/fleet_memory.py", "--pack", str(path)),
        entrypoint="python",
        mounts=(BindMount(folder, read_only=False), BindMount(Path(__file__).parents[1], "/code")),
        environment={"PYTHONPATH": "/code"},
        user="0:0",
    )
    subprocess.run(container.argv(_DOCKER), check=True)
    return path


def measured(worker, count, path):
    def run(slot):
        request = RunRequest(path, "holder", "live", "", 4 * 1024**3, 600.0, "auto", 60_578 + slot)
        assert worker.run(request).record["verdict"] == "ok"

    threads = [threading.Thread(target=run, args=(slot,)) for slot in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(_SECONDS * 0.7)
    root = router(worker)
    size = proportional_bytes([root, *descendants(root).processes])
    for thread in threads:
        thread.join()
    return size


def router(worker):
    if worker._spec.environment.image is None:
        return worker._process.pid
    command = [_DOCKER, "inspect", "--format", "{{.State.Pid}}", worker.name]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    if sys.argv[1] == "--pack":
        Path(sys.argv[2]).write_bytes(cloudpickle.dumps(model(_HELD_BYTES, _SECONDS)))
    else:
        main()
