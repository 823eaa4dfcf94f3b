"""Worker actors, tasks and whole fleet runs for the tests of the fleet."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from numerai_predict.contract.limits import Limits
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.pool.actor import ModelTask, WorkerActorSpec
from numerai_predict.fleet.worker.messages import RunRequest

PROGRAM = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"
LOCAL_PYTHON = Environment(RUNNING_PYTHON, LOCAL)


def actor_spec(sample, environment=LOCAL_PYTHON, slots=(0, 1), **changes):
    live, benchmarks = sample / "live.parquet", sample / "live_benchmark_models.parquet"
    slot_bytes = changes.pop("slot_bytes", 4 * 1024**3)
    return WorkerActorSpec(environment, str(live), str(benchmarks), slots, slot_bytes, **changes)


def model_task(path, name="model", limits=None, **changes):
    limits = limits or Limits()
    request = RunRequest(
        model="",
        source=str(path),
        dataset_source="live.parquet",
        benchmarks_source="live_benchmark_models.parquet",
        memory_bytes=limits.memory_bytes,
        seconds=limits.seconds,
        sandbox="auto",
        user=0,
        **changes,
    )
    return ModelTask(name, request, path.suffix)


@dataclass
class FleetOutput:
    """What a fleet run printed, and the files that it left in its directory."""

    exit_code: int
    directory: Path
    stdout: str
    stderr: str

    def verdicts(self):
        return {name: record["verdict"] for name, record in self.records().items()}

    def records(self):
        files = sorted((self.directory / "records").glob("*.json"))
        return {file.stem: json.loads(file.read_text()) for file in files}

    def csv(self, name):
        return (self.directory / "predictions" / f"{name}.csv").read_bytes()

    def ledger(self):
        return closing(FleetLedger(self.directory))


class Fleet:
    """`numerai-predict fleet run` with sample data, in its own output directory."""

    def __init__(self, folder, sample, environment):
        self.directory = folder / "fleet-output"
        self.directory.mkdir()
        self._sample = sample
        self._environment = environment

    def command(self, manifest, *options):
        argv = [sys.executable, "-c", PROGRAM, "fleet", "run", manifest]
        argv += ["--output-dir", self.directory, "--dataset", self._sample / "live.parquet"]
        argv += ["--benchmarks", self._sample / "live_benchmark_models.parquet", *options]
        return list(map(str, argv))

    def start(self, manifest, *options):
        return subprocess.Popen(
            self.command(manifest, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
            # A shell lets background jobs ignore SIGINT, and their children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, manifest, *options, timeout=110):
        process = self.start(manifest, *options)
        try:
            out, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=30)
            pytest.fail(f"the fleet did not end:\n{out}\n{errors}")
        return FleetOutput(process.returncode, self.directory, out, errors)


def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"the condition was not met within {seconds} s"
        time.sleep(0.05)


def processes_of(name):
    """The processes whose command line contains the name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if name.encode() in line and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found
