"""Reliability of the fleet: many models, a third of them broken, while its processes are killed.

python tests/fleet/suite.py [MODELS] [SEED]

First predict.py runs each model alone, in the image of its Python. Then a fleet runs all of them
on two nodes of Ray, while worker actors, workers, containers and the second node are killed at
random, and the coordinator is killed and started again. The results are compared with the single
runs, with the ledger, and with every version of every object on the S3 server.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))

from fleets import PROGRAM, processes_of  # noqa: E402

from numerai_predict.contract.container_run import BindMount, ContainerRun  # noqa: E402
from numerai_predict.data.synthetic import SampleShape, write_sample  # noqa: E402
from numerai_predict.fleet.ledger import FleetLedger  # noqa: E402
from numerai_predict.fleet.model_state import ModelState  # noqa: E402
from numerai_predict.fleet.pool.launch import LABEL  # noqa: E402
from numerai_predict.inspection.images import supported_images  # noqa: E402

DOCKER = os.environ.get("DOCKER", "docker")
RAY = str(Path(sys.executable).with_name("ray"))
KEPT = Path(__file__).with_name("RELIABILITY.md")
PORT = 6399
LIMITS = ("--memory", "600m", "--timeout", "5")
ENVIRONMENT = {
    **os.environ,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "NO_PROXY": "*",
}
LIMIT_SECONDS = 1500
# What is killed, with the weights of the random choice.
KILL_WEIGHTS = {"container": 4, "actor": 2, "worker": 3, "node": 1, "coordinator": 2}


class Bucket:
    """An S3 server that keeps every version of an object, so that it shows a second upload."""

    name = "predictions"

    def __init__(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line per request
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.host = "http://{}:{}".format(*self.server.get_host_and_port())
        access = {"aws_access_key_id": "suite", "aws_secret_access_key": secrets.token_hex(16)}
        self.client = boto3.client(
            "s3", endpoint_url=self.host, region_name="us-east-1", **access,
            config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip
        self.client.create_bucket(Bucket=self.name)
        self.client.put_bucket_versioning(
            Bucket=self.name, VersioningConfiguration={"Status": "Enabled"}
        )

    def post(self, key):
        """Manifest columns of a presigned POST; the server rejects keys of `upload_failed`."""
        bucket = "not-there" if key.startswith("upload_failed") else self.name
        signed = self.client.generate_presigned_post(bucket, key)
        return {"post_url": signed["url"], "post_data": urlencode(signed["fields"])}

    def uploads(self):
        """How often each key was written, according to the server."""
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.name)
        return Counter(found["Key"] for page in pages for found in page.get("Versions", ()))


class Suite:
    def __init__(self, folder, count, seed):
        self.folder, self.count = folder, count
        self.random = random.Random(seed)
        self.kills = Counter()
        # Each kind once, in random order, then any.
        self.due = self.random.sample(list(KILL_WEIGHTS), len(KILL_WEIGHTS))
        self.data, self.singles = folder / "data", folder / "singles"
        self.output = folder / "output"
        for path in (self.singles, self.output):
            path.mkdir()
        write_sample(self.data, SampleShape(300, rows=20, train_eras=1, validation_eras=1,
                                            features=60))  # fmt: skip
        self.bucket = Bucket()
        self.images = [i for i in supported_images() if i.flavour == "slim" and has(i.name)]

    def make(self):
        """Make models and manifest; returns the rows by id."""
        rows = {}
        each = self.count // len(self.images)
        for image in self.images:
            directory = self.folder / f"models-{image.python}"
            directory.mkdir()
            good, broken = each * 2 // 3, each - each * 2 // 3
            self.container(image, "tests/fleet/kinds.py", directory, good, broken)
            for path in sorted(directory.iterdir()):
                rows[f"{path.stem}-{image.python}"] = {"model": str(path), "python": image.python}
        names = sorted(name for name in rows if name.startswith("ok-"))
        for name in names[:6]:  # the server rejects the uploads of some good models
            rows[name.replace("ok-", "upload_failed-")] = rows.pop(name)
        for number in range(4):
            url = f"{self.bucket.host}/{self.bucket.name}/none{number}.pkl?secret={number}"
            rows[f"model_unavailable-{number}"] = {"model": url, "python": "3.12"}
        other = next(name for name in rows if name.startswith("ok-") and name.endswith("3.10"))
        rows["python_mismatch-0"] = {**rows[other], "python": "3.12"}
        with open(self.folder / "manifest.jsonl", "w") as manifest:
            for name, row in sorted(rows.items(), key=lambda _: self.random.random()):
                manifest.write(json.dumps({"id": name, **row, **self.bucket.post(name)}) + "\n")
        return rows

    def run_singles(self):
        for image in self.images:
            output = self.singles / image.python
            output.mkdir()
            models = self.folder / f"models-{image.python}"
            self.container(image, "tests/fleet/singles.py", ROOT / "predict.py", models, self.data,
                           output, *LIMITS)  # fmt: skip

    def container(self, image, script, *arguments):
        run = ContainerRun(
            image.name,
            tuple(map(str, (ROOT / script, *arguments))),
            entrypoint="python",
            mounts=tuple(BindMount(path, read_only=False) for path in (ROOT, self.folder)),
            environment={"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            user="0:0",
        )
        subprocess.run(run.argv(DOCKER), check=True)

    def ray(self, *arguments):
        subprocess.run([RAY, *arguments], env=ENVIRONMENT, check=True, capture_output=True)

    def start_second_node(self):
        before = set(processes_of("raylet/raylet"))
        self.ray("start", "--address", f"127.0.0.1:{PORT}", "--num-cpus", "1",
                 "--memory", str(6 * 1024**3), "--object-store-memory", "100000000",
                 "--node-ip-address", "127.0.0.1", "--disable-usage-stats")  # fmt: skip
        self.second = set(processes_of("raylet/raylet")) - before

    def start_coordinator(self):
        argv = [sys.executable, "-c", PROGRAM, "fleet", "run", self.folder / "manifest.jsonl"]
        argv += ["--output-dir", self.output, "--dataset", self.data / "live.parquet", *LIMITS]
        argv += ["--benchmarks", self.data / "live_benchmark_models.parquet"]
        argv += ["--ray-address", f"127.0.0.1:{PORT}"]
        with open(self.folder / "coordinator.log", "a") as log:
            return subprocess.Popen(list(map(str, argv)), stdout=log, stderr=log, env=ENVIRONMENT)

    def run_fleet(self):
        """Run the fleet to its end, and kill something every few seconds."""
        self.ray("start", "--head", "--port", str(PORT), "--num-cpus", "1", "--memory",
                 str(6 * 1024**3), "--object-store-memory", "100000000", "--node-ip-address",
                 "127.0.0.1", "--include-dashboard=false", "--disable-usage-stats")  # fmt: skip
        started = time.monotonic()
        try:
            self.start_second_node()
            coordinator = self.start_coordinator()
            while coordinator.poll() is None:
                if time.monotonic() - started > LIMIT_SECONDS:
                    coordinator.kill()
                    raise SystemExit("the fleet did not end")
                time.sleep(self.random.uniform(4, 9))
                coordinator = self.kill_something(coordinator)
            return coordinator.returncode, time.monotonic() - started
        finally:
            subprocess.run([RAY, "stop", "--force"], env=ENVIRONMENT, capture_output=True)

    def kill_something(self, coordinator):
        """Kill a process, a container or a node; returns the coordinator that runs then."""
        kinds, weights = zip(*KILL_WEIGHTS.items(), strict=True)
        kind = self.due[0] if self.due else self.random.choices(kinds, weights)[0]
        if coordinator.poll() is not None:
            return coordinator
        if kind == "coordinator":
            coordinator.kill()
            coordinator.wait()
            coordinator = self.start_coordinator()
        elif kind == "node":
            for pid in self.second:
                kill(pid)
            self.start_second_node()
        elif kind == "container":
            if not (found := containers()):
                return coordinator
            subprocess.run([DOCKER, "kill", self.random.choice(found)], capture_output=True)
        else:
            worker = "numerai_predict.fleet.worker.router"
            mark = "ray::WorkerActor" if kind == "actor" else worker
            if not (found := processes_of(mark)):
                return coordinator
            kill(self.random.choice(found))
        self.kills[kind] += 1
        self.due = [other for other in self.due if other != kind]
        return coordinator

    def deviations(self, rows):
        """What is not as expected, one line each."""
        ledger = FleetLedger(self.output)
        found = {row.id: row for row in ledger.rows()}
        events = Counter((event.model, event.state) for event in ledger.events())
        uploads = self.bucket.uploads()
        for name, row in rows.items():
            expected, kind = self.expected(name, row), name.partition("-")[0]
            verdict = found[name].verdict if name in found else "not in the ledger"
            if verdict != expected:
                yield f"{name}: {verdict}, in a single run {expected}"
            if kind == "ok":
                ours = self.output / "predictions" / f"{name}.csv"
                if not ours.exists() or ours.read_bytes() != self.single(row, "csv").read_bytes():
                    yield f"{name}: predictions differ from the single run"
            if uploads[name] != (expected == "ok"):
                yield f"{name}: uploaded {uploads[name]} times"
            if events[name, ModelState.DELIVERED] != (expected == "ok"):
                yield f"{name}: {events[name, ModelState.DELIVERED]} times delivered in the ledger"
        ledger.close()
        if self.due:
            yield f"never killed: {', '.join(self.due)}"
        if left := containers():
            yield f"containers were left: {left}"

    def single(self, row, suffix):
        model = Path(row["model"])
        return self.singles / model.parent.name.partition("-")[2] / f"{model.stem}.{suffix}"

    def expected(self, name, row):
        kind = name.partition("-")[0]
        if kind in ("upload_failed", "model_unavailable", "python_mismatch"):
            return kind
        return json.loads(self.single(row, "json").read_text())["verdict"]


def containers():
    command = [DOCKER, "ps", "--quiet", "--filter", f"label={LABEL}"]
    return subprocess.run(command, capture_output=True, text=True).stdout.split()


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def has(image):
    return not subprocess.run([DOCKER, "image", "inspect", image], capture_output=True).returncode


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory(prefix="fleet-suite-") as name:
        Path(name).chmod(0o755)
        suite = Suite(Path(name), count, seed)
        rows = suite.make()
        print(
            f"{len(rows)} models of {len(suite.images)} Pythons; first each in a single run",
            flush=True,
        )
        suite.run_singles()
        code, seconds = suite.run_fleet()
        problems = list(suite.deviations(rows))
        kinds = Counter(suite.expected(*item) for item in rows.items())
        if problems:
            print((suite.folder / "coordinator.log").read_text()[-6000:])
    killed = ", ".join(f"{what} {number} x" for what, number in sorted(suite.kills.items()))
    lines = [
        "# Reliability of the fleet",
        "",
        "The last output of `make test_fleet`.",
        "",
        f"{len(rows)} models of Python {', '.join(i.python for i in suite.images)} on two nodes of "
        f"Ray, in {seconds:.0f} s, seed {seed}. Killed during the run: {killed}.",
        "",
        "| verdict | models |",
        "|---|---|",
        *(f"| {verdict} | {number} |" for verdict, number in sorted(kinds.items())),
        "",
        f"Models that differ from their single run, were lost or delivered twice: {len(problems)}.",
        *(f"- {problem}" for problem in problems),
    ]
    print("\n".join(lines))
    KEPT.write_text("\n".join(lines) + "\n")
    return 1 if problems or code != 1 else 0  # 1: some models failed, as expected


if __name__ == "__main__":
    sys.exit(main())
