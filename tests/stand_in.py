"""A fleet run without Ray: its predictions are hashes of what they depend on.

python -c "import stand_in; stand_in.main()" MARKER ARGUMENTS

runs `numerai-predict ARGUMENTS`. Everything else is real: ledger, preparation, delivery process.
It writes the time to MARKER.begun once the files of earlier runs are set aside, and to
MARKER.fetched once it has read the live data.
"""

import hashlib
import random
import sys
import time
from dataclasses import asdict
from pathlib import Path

from numerai_predict.cli.main import main as numerai_predict
from numerai_predict.contract.record import EnvironmentFacts, ModelFacts, PredictionFacts, Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet import run as fleet_run
from numerai_predict.fleet.pool.actor import TaskResult, WorkerReady
from numerai_predict.fleet.pool.ray_cluster import Node

FAILS = b"this model fails"


def predictions(model, live, benchmarks, seconds):
    """The file of predictions of a model: a hash of all that they depend on."""
    parts = (model, live, benchmarks, str(seconds).encode())
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    return f"id,prediction\n{digest},0.5\n".encode()


class Call:
    def __init__(self, result, seconds=0.0):
        self.result, self.due = result, time.monotonic() + seconds


class Method:
    def __init__(self, call):
        self.remote = call


class Actor:
    def __init__(self, spec):
        self.spec = spec
        self.prepare = Method(lambda: Call(WorkerReady({}, 1)))
        self.run = Method(self.run_model)

    def run_model(self, task, model):
        content = Path(model).read_bytes()
        record = Record(environment=EnvironmentFacts("3.12", None, "0"), model=ModelFacts(arity=2))
        if FAILS in content:
            record, csv = record.concluded(Verdict.MODEL_ERROR, "it fails"), None
        else:
            live, benchmarks = (
                Path(path).read_bytes() for path in (self.spec.dataset, self.spec.benchmarks)
            )
            csv = predictions(content, live, benchmarks, task.request.seconds)
            sha256 = hashlib.sha256(csv).hexdigest()
            record = Record(
                environment=record.environment,
                model=record.model,
                predictions=PredictionFacts(sha256=sha256),
            ).concluded(Verdict.OK, "predicted")
        now = time.time()
        result = TaskResult("stand-in", now, now, asdict(record), csv, b"log\n")
        return Call(result, random.uniform(0.01, 0.08))


class StandInCluster:
    """A node with two slots; every call completes after a short time."""

    def __init__(self, *_):
        pass

    def nodes(self):
        return [Node("one", "one", 2, 64 * 1024**3, True)]

    def start_actor(self, _node_id, spec):
        return Actor(spec)

    def stop_actor(self, actor):
        pass

    forget_actor = stop_actor

    def completed_calls(self, calls, seconds):
        until = time.monotonic() + seconds
        while not (done := [call for call in calls if call.due <= time.monotonic()]):
            if time.monotonic() > until:
                return []
            time.sleep(0.005)
        return done

    def result(self, call):
        return call.result

    def close(self):
        pass


def marking(function, marker):
    """The function; after its call it writes the time to the file `marker`."""

    def marked(*values):
        result = function(*values)
        part = marker.with_suffix(".part")
        part.write_text(str(time.time()))
        part.replace(marker)
        return result

    return marked


def main():
    marker, *arguments = sys.argv[1:]
    fleet_run.RayCluster = StandInCluster
    fleet_run._begin = marking(fleet_run._begin, Path(f"{marker}.begun"))
    fleet_run.fetch_live_data = marking(fleet_run.fetch_live_data, Path(f"{marker}.fetched"))
    sys.exit(numerai_predict(arguments))
