"""Runs of predict.py that are killed at random moments, and what they leave.

`make test_faults` does it two hundred times, `make test` a few.
"""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from fault_runs import clean_environment, model_bytes  # noqa: E402
from faults import Faults  # noqa: E402

_ROWS = 200


def kill_all(kills: int, seed: int, folder: Path, sample: Path) -> list[str]:
    """Kill that many runs, one after the other in one place; all that was wrong."""
    scene = Scene(folder, sample)
    dice = random.Random(seed)
    wrong = []
    try:
        whole = scene.run_to_the_end()
        if scene.last_exit:
            return [f"a run that is not killed ends with {scene.last_exit}"]
        for number in range(kills):
            scene.kill_after(dice.uniform(0, whole))
            wrong += [f"kill {number}: {words}" for words in scene.what_is_wrong()]
        scene.run_to_the_end()
        if scene.last_exit:
            wrong.append(f"the next run ends with {scene.last_exit}")
        wrong += [f"after the next run: {words}" for words in scene.what_is_wrong()]
    finally:
        scene.server.close()
    return wrong


class Scene:
    """One output directory, one cache and one server for all runs."""

    def __init__(self, folder: Path, sample: Path) -> None:
        self.output, self.cache = folder / "output", folder / "cache"
        self.temporary, self.record = folder / "tmp", folder / "record.json"
        self.sample = sample
        for path in (self.output, self.temporary):
            path.mkdir(parents=True)
        self.model = model_bytes()
        self.live = (sample / "live.parquet").read_bytes()
        self.server = Faults(objects={"/m.pkl": self.model, "/live": self.live})
        self.server.plan = {path: ["slowly"] * 10_000 for path in self.server.objects}
        url = f"{self.server.url}/live?SECRET"
        self.server.answers = {"/graphql": json.dumps({"data": {"dataset": url}}).encode()}
        self.last_exit = None

    def run_to_the_end(self) -> float:
        """Seconds that a whole run takes."""
        began = time.monotonic()
        self.last_exit = self._start().wait(timeout=120)
        return time.monotonic() - began

    def kill_after(self, seconds: float) -> None:
        """Start a run and kill it as the kernel does, with no time for anything."""
        process = self._start()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=60)

    def what_is_wrong(self) -> Iterator[str]:
        """Partial files under a final name, of any kind, and other bytes stored than saved."""
        saved = {path.read_bytes() for path in self.output.glob("live_predictions-*.csv")}
        if any(len(content.splitlines()) != _ROWS + 1 for content in saved):
            yield "a partial file of predictions"
        if any(stored not in saved for stored in self.server.stored.get("/post", [])):
            yield "other bytes were stored than were saved"
        for path in (self.cache / "objects").glob("[0-9a-f]*"):
            if hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
                yield f"a partial object in the cache: {path.name}"
        for path in self.temporary.glob("numerai-fetch-*/*/*"):
            if not path.name.startswith(".") and path.read_bytes() not in (self.model, self.live):
                yield f"a partial download: {path}"
        for path in (self.record, *(self.cache / "names").glob("[0-9a-f]*")):
            if path.exists():
                json.loads(path.read_bytes())

    def _start(self) -> subprocess.Popen:
        url = self.server.url
        words = [sys.executable, ROOT / "predict.py", "--model", f"{url}/m.pkl?SECRET"]
        words += ["--dataset", "v5.2/live.parquet", "--output_dir", self.output]
        words += ["--benchmarks", self.sample / "live_benchmark_models.parquet"]
        words += ["--post_url", f"{url}/post", "--post_data", "key=a", "--result", self.record]
        own = {"NUMERAI_API_URL": f"{url}/graphql", "NUMERAI_PREDICT_CACHE": str(self.cache)}
        return subprocess.Popen(
            [str(word) for word in words],
            env={**clean_environment(), **own, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.temporary,
        )
