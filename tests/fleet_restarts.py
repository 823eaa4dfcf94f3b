"""Restarts of fleet runs with changed data in one output directory, killed at random moments.

python tests/fleet_restarts.py [RESTARTS] [SEED]

Two fleets that share models use one directory in turn. Before each start live data, benchmark
models, models, options and destinations change at random; sometimes the live data change during
the run. Most runs are killed with SIGKILL. Predictions are hashes of all that they depend on, so
that each file and each upload shows what it was made of. Workers are stand-ins; see `stand_in`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import cloudpickle
import pandas as pd

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from stand_in import FAILS, predictions  # noqa: E402

KEPT = HERE / "fleet" / "RESTARTS.md"
PROGRAM = f"import sys; sys.path[:0] = {[str(ROOT), str(HERE)]!r}; import stand_in; stand_in.main()"
FLEETS = {"first": range(8), "second": range(4, 12)}
UPLOADED, REMOTE, FAILING = range(2, 12), 3, 5
MOST_SECONDS, LIMIT_SECONDS = 4.0, 90


@dataclass
class Upload:
    """A file that the server received, and when."""

    key: str
    content: bytes
    begun: float


class Server:
    """Receives uploads and serves one model; both take a random, short time."""

    def __init__(self, models):
        self.uploads, self.lock = [], threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.partition("?")[0].rpartition("/")[2]
                self.reply(200, (models / name).read_bytes())

            def do_POST(self):
                begun = time.time()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                key = body.partition(b'name="key"')[2].split(b"\r\n")[2].decode()
                content = b"id,prediction" + body.partition(b"id,prediction")[2]
                content = content.partition(b"\r\n--")[0]
                time.sleep(random.uniform(0, 0.05))
                with server.lock:
                    server.uploads.append(Upload(key, content, begun))
                self.reply(204, b"")

            def reply(self, status, content):
                self.send_response(status)
                if content:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@dataclass
class World:
    """All that predictions depend on, as numbers of variants."""

    live: int = 0
    benchmarks: int = 0
    seconds: int = 600
    bucket: int = 0
    models: dict = field(default_factory=lambda: dict.fromkeys(range(12), 0))

    def change(self, rng):
        for name in ("live", "benchmarks"):
            if rng.random() < 0.3:
                setattr(self, name, rng.randrange(3))
        if rng.random() < 0.1:
            self.seconds = rng.choice([500, 600])
        if rng.random() < 0.1:
            self.bucket = rng.randrange(2)
        for number in self.models:
            if rng.random() < 0.1:
                self.models[number] = rng.randrange(3)


class Restarts:
    """The two fleets, their directory, and what was found wrong."""

    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.folder, self.output = folder, folder / "output"
        self.models, self.marker = folder / "models", folder / "marker"
        self.begun, self.fetched = folder / "marker.begun", folder / "marker.fetched"
        for path in (self.output, self.models):
            path.mkdir()
        self.world, self.problems, self.counts = World(), [], Counter()
        self.contents = {}  # bytes of each variant
        self.server = Server(self.models)
        # From each begin of a run on, what uploads may contain.
        self.periods = []

    def run(self, count):
        for number in range(count):
            self.restart(number, disturbed=True)
        self.restart(count, disturbed=False)
        time.sleep(0.5)
        self.check_uploads()
        self.server.close()

    def restart(self, number, disturbed):
        self.world.change(self.random)
        fleet = self.random.choice(sorted(FLEETS))
        expected = self.write(fleet)
        for marker in (self.begun, self.fetched):
            marker.unlink(missing_ok=True)
        options = ["--retry-failed"] if self.random.random() < 0.1 else []
        process = self.start(fleet, options)
        errors = self.disturb(process) if disturbed else self.end(process, LIMIT_SECONDS)
        code = process.returncode
        begun = float(self.begun.read_text()) if self.begun.exists() else None
        self.counts["killed" if code == -signal.SIGKILL else f"ended with {code}"] += 1
        if begun is None:
            self.counts["killed before it began"] += 1
            return
        self.periods.append((begun, {(key, csv) for key, csv in expected.values() if csv}))
        self.check_files(number, fleet, code, expected, errors)

    def start(self, fleet, options):
        argv = [sys.executable, "-c", PROGRAM, self.marker, "fleet", "run"]
        argv += [self.folder / f"{fleet}.jsonl", "--output-dir", self.output, "--no-container"]
        argv += ["--dataset", self.folder / "live.parquet"]
        argv += ["--benchmarks", self.folder / "benchmarks.parquet"]
        argv += ["--timeout", str(self.world.seconds), *options]
        self.counts["starts"] += 1
        # A file of its own: a delivery process may write to it after its coordinator was killed.
        self.printed = self.folder / f"printed-{self.counts['starts']}"
        with open(self.printed, "wb") as output:
            return subprocess.Popen(
                list(map(str, argv)), stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, "NUMERAI_PREDICT_CACHE": "off", "NO_PROXY": "*"},
            )  # fmt: skip

    def disturb(self, process):
        """Mostly kill the coordinator, sometimes change the live data; returns what it printed."""
        chance = self.random.random()
        if chance < 0.1:
            return self.end(process, self.random.uniform(0, MOST_SECONDS))
        changes, kills = self.random.random() < 0.15, self.random.random() < 0.85
        if self.wait_for(self.fetched if changes or chance < 0.6 else self.begun, process):
            if changes:
                time.sleep(self.random.uniform(0, 0.5))
                self.change_live()
            elif kills:
                return self.end(process, self.random.uniform(0, MOST_SECONDS / 4))
        return self.end(process, LIMIT_SECONDS)

    def wait_for(self, marker, process):
        """Wait until the run wrote the marker; whether it did before it ended."""
        while process.poll() is None and not marker.exists():
            time.sleep(0.005)
        return marker.exists()

    def end(self, process, seconds):
        """Wait for the end, and kill the coordinator after `seconds`; returns what it printed."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return self.printed.read_text(errors="replace")

    def change_live(self):
        """Replace the live data while a run may use them."""
        self.world.live = (self.world.live + 1) % 3
        self.counts["live data changed during a run"] += 1
        self.replace(self.folder / "live.parquet", self.data("live", self.world.live))

    def write(self, fleet):
        """Write the fleet's files; returns key and predictions for each model, `None` for none."""
        world = self.world
        live, benchmarks = self.data("live", world.live), self.data("benchmarks", world.benchmarks)
        self.replace(self.folder / "live.parquet", live)
        self.replace(self.folder / "benchmarks.parquet", benchmarks)
        rows, expected = [], {}
        for number in FLEETS[fleet]:
            name, content = f"m{number}", self.model(number, world.models[number])
            self.replace(self.models / f"{name}.pkl", content)
            key = f"{world.bucket}/{name}" if number in UPLOADED else None
            csv = predictions(content, live, benchmarks, float(world.seconds))
            expected[name] = key, None if FAILS in content else csv
            model = str(self.models / f"{name}.pkl")
            if number == REMOTE:
                model = f"{self.server.url}/{name}.pkl?signed={self.random.random()}"
            rows.append({"id": name, "model": model})
            if key:
                fields = {"key": key, "policy": str(self.random.random())}
                rows[-1] |= {"post_url": f"{self.server.url}/b", "post_data": urlencode(fields)}
        manifest = self.folder / f"{fleet}.jsonl"
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return expected

    def replace(self, path, content):
        """Replace a file, or write it in place, unless it has the content."""
        if path.exists() and path.read_bytes() == content:
            return
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)

    def data(self, name, variant):
        if (name, variant) not in self.contents:
            ids = [f"n{row}" for row in range(5)]
            frame = pd.DataFrame({"feature": range(variant, variant + 5)}, index=ids)
            frame.index.name = "id"
            self.contents[name, variant] = frame.to_parquet()
        return self.contents[name, variant]

    def model(self, number, variant):
        if (number, variant) not in self.contents:
            text = FAILS.decode() if number == FAILING and variant == 1 else "it works"
            model = lambda live, benchmarks: (number, variant, text)  # noqa: E731
            self.contents[number, variant] = cloudpickle.dumps(model)
        return self.contents[number, variant]

    def check_files(self, number, fleet, code, expected, errors):
        """Files of the fleet's models are those of this run, all there once it has ended."""
        where = f"restart {number} of the {fleet} fleet (status {code})"
        for name, (_, csv) in expected.items():
            path = self.output / "predictions" / f"{name}.csv"
            found = read(path)
            if found is not None and found != csv:
                self.problems.append(f"{where}: stale predictions of {name}")
            record = json.loads(read(self.output / "records" / f"{name}.json") or "null")
            if record and record["predictions"]["sha256"] not in (None, sha256(csv or b"")):
                self.problems.append(f"{where}: stale record of {name}")
            if code == 0 and found is None:
                self.problems.append(f"{where}: no predictions of {name}")
        failing = any(csv is None for _, csv in expected.values())
        changed = "found other bytes there" in errors
        self.counts["stopped because the live data changed"] += changed
        self.counts["runs that reused results"] += "reused " in errors
        if code not in (-signal.SIGKILL, int(failing)) and not changed:
            self.problems.append(f"{where}: {errors[-1500:]}")

    def check_uploads(self):
        """Each upload is of the run that had begun last, and none was repeated."""
        last = {}
        with self.server.lock:
            uploads = sorted(self.server.uploads, key=lambda upload: upload.begun)
        for upload in uploads:
            allowed = [wanted for begun, wanted in self.periods if begun <= upload.begun]
            if not allowed or (upload.key, upload.content) not in allowed[-1]:
                self.problems.append(f"stale upload of {upload.key}")
            if last.get(upload.key) == upload.content:
                self.problems.append(
                    f"{upload.key} was uploaded twice; " + self.history(upload, uploads)
                )
            last[upload.key] = upload.content
        for key, content in self.periods[-1][1]:
            if key and last.get(key) != content:
                self.problems.append(f"the last upload of {key} is not that of the last run")
        self.counts["uploads"] = len(uploads)

    def history(self, repeated, uploads):
        """All uploads of the model until the repeated one: in which run, where to, and what."""
        name = repeated.key.partition("/")[2]
        found = [
            f"run {sum(begun <= upload.begun for begun, _ in self.periods)}: "
            f"{sha256(upload.content)[:6]} to {upload.key}"
            for upload in uploads
            if upload.key.partition("/")[2] == name and upload.begun <= repeated.begun
        ]
        return "uploads of the model: " + ", ".join(found[-6:])


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def read(path):
    return path.read_bytes() if path.exists() else None


def run(count, seed):
    """Run the restarts; returns them."""
    with tempfile.TemporaryDirectory(prefix="fleet-restarts-") as name:
        restarts = Restarts(Path(name), seed)
        restarts.run(count)
    return restarts


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 17
    started = time.monotonic()
    restarts = run(count, seed)
    lines = [
        "# Restarts of fleet runs with changed data",
        "",
        "The last output of `make test_restarts`.",
        "",
        f"Two fleets in one output directory, {count} restarts in "
        f"{time.monotonic() - started:.0f} s, seed {seed}. Before each start live data, benchmark "
        "models, models, options or destinations changed at random.",
        "",
        "| what | times |",
        "|---|---|",
        *(f"| {what} | {times} |" for what, times in sorted(restarts.counts.items())),
        "",
        "Stale predictions, records and uploads, missing and repeated ones: "
        f"{len(restarts.problems)}.",
        *(f"- {problem}" for problem in restarts.problems),
    ]
    print("\n".join(lines))
    KEPT.write_text("\n".join(lines) + "\n")
    return 1 if restarts.problems else 0


if __name__ == "__main__":
    sys.exit(main())
