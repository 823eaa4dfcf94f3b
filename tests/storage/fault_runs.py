"""Whole runs of predict.py against seeded random faults, and the table of how they ended.

    python tests/storage/fault_runs.py [RUNS [SEED]]     # make test_faults; writes FAULTS.md

Each run fetches its model and its data, and posts its predictions, by way of a server
that breaks the first few requests to each in one of 25 ways.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cloudpickle

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from faults import GETS, POSTS, Faults  # noqa: E402

_TABLE = Path(__file__).parent / "FAULTS.md"
_SECRET = "X-Amz-Signature=SECRET"
_DEADLINES = (2.5, 4.0, 6.0, 10.0)
_GRACE_SECONDS = 1.0
_ROWS = 200
_KILLS_SHARE = 0.2
_WORKERS = 4
_HEALTHY = {"none", "reset after", "redirect", "gzip"}
# How a run may end; everything else is a defect.
_ENDS = ("ok", "model_unavailable", "dataset_unavailable", "upload_failed", "deadline")


def model_bytes() -> bytes:
    """A pickled model, large enough to be cut within, also by a reset."""
    weights = random.Random(7).randbytes(300_000)

    def predict(live_features):  # within a function: it is pickled by its code, not its name
        assert weights
        values = live_features["feature_sample_0000"].rank(pct=True, method="first")
        return values.to_frame("prediction")

    return cloudpickle.dumps(predict)


@dataclass
class Plan:
    """What goes wrong in one run; `deadline` is in seconds."""

    number: int
    deadline: float
    faults: dict[str, list[str]]

    @classmethod
    def drawn(cls, number: int, seed: int) -> Plan:
        dice = random.Random(seed * 1_000_003 + number)
        faults = {}
        for part, kinds in (("model.pkl", GETS), ("live.parquet", GETS), ("post", POSTS)):
            broken = sorted(set(kinds) - {"none"})
            count = dice.choice((0, 0, 1, 1, 1, 2, 3))
            faults[part] = dice.choices(broken, k=count)
        return cls(number, dice.choice(_DEADLINES), faults)

    @property
    def kinds(self) -> set[str]:
        return {kind for kinds in self.faults.values() for kind in kinds}


@dataclass
class End:
    """How a run ended, and what was wrong with that.

    `late` is how many seconds after its deadline it concluded, which begins when the options
    are read; `late_from_outside` counts from the start of the process to its end.
    """

    plan: Plan
    verdict: str = "none"
    late: float = 0.0
    late_from_outside: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Bench:
    """The server, the inputs and a directory for each run."""

    def __init__(self, folder: Path, sample: Path) -> None:
        self.folder = folder
        self.sample = sample
        self.server = Faults()
        self.model = model_bytes()
        self.live = (sample / "live.parquet").read_bytes()

    def run(self, plan: Plan) -> End:
        """Run predict.py as planned and check what it left."""
        place = self.folder / f"run-{plan.number}"
        output, temporary = place / "output", place / "temporary"
        for folder in (output, temporary):
            folder.mkdir(parents=True)
        end = End(plan)
        began = time.monotonic()
        ended = subprocess.run(
            self._command(plan, place),
            capture_output=True,
            text=True,
            timeout=120,
            env={**clean_environment(), "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
        )
        end.late_from_outside = time.monotonic() - began - plan.deadline
        self._judge(end, ended, place)
        if not end.wrong:
            shutil.rmtree(place)
        return end

    def _command(self, plan: Plan, place: Path) -> list[str]:
        base = f"/r{plan.number}"
        for part, kinds in plan.faults.items():
            self.server.plan[f"{base}/{part}"] = list(kinds)
        self.server.objects[f"{base}/model.pkl"] = self.model
        self.server.objects[f"{base}/live.parquet"] = self.live
        words = [sys.executable, ROOT / "predict.py", "--output_dir", place / "output"]
        words += ["--model", f"{self.server.url}{base}/model.pkl?{_SECRET}"]
        words += ["--dataset", f"{self.server.url}{base}/live.parquet?{_SECRET}"]
        words += ["--benchmarks", self.sample / "live_benchmark_models.parquet"]
        words += [
            "--post_url",
            f"{self.server.url}{base}/post",
            "--post_data",
            "key=a&x=SECRETFIELD",
        ]
        words += ["--deadline", plan.deadline, "--result", place / "record.json", "--debug"]
        return [str(word) for word in words]

    def _judge(self, end: End, ended: subprocess.CompletedProcess, place: Path) -> None:
        wrong, plan = end.wrong, end.plan
        record = json.loads((place / "record.json").read_text())
        end.verdict = record["verdict"]
        end.late = record["seconds"]["total"] - plan.deadline
        files = sorted(path for path in (place / "output").iterdir())
        stored = self.server.stored.get(f"/r{plan.number}/post", [])
        if end.verdict not in _ENDS or ended.returncode != record["exit_code"]:
            wrong.append(f"ended as {end.verdict} with {ended.returncode}: {record['message']}")
        if end.late > _GRACE_SECONDS:
            wrong.append(f"{end.late:.1f} s after its deadline")
        if "SECRET" in ended.stderr + json.dumps(record):
            wrong.append("shows a secret")
        if list((place / "temporary").iterdir()):
            wrong.append("left temporary files")
        wrong += self._wrong_inputs(record)
        wrong += _wrong_outputs(record, files, stored)
        if end.verdict.endswith("_unavailable") or end.verdict == "upload_failed":
            part = {"m": "model.pkl", "d": "live.parquet", "u": "post"}[end.verdict[0]]
            if not set(plan.faults[part]) - _HEALTHY:
                wrong.append(f"{end.verdict} without a cause")

    def _wrong_inputs(self, record: dict) -> list[str]:
        facts = ((record["model"], self.model), (record["dataset"], self.live))
        return [
            f"took other bytes for {fact['source']}"
            for fact, data in facts
            if fact["sha256"] not in (None, hashlib.sha256(data).hexdigest())
        ]


def _wrong_outputs(record: dict, files: list[Path], stored: list[bytes]) -> list[str]:
    wrong = []
    path = record["predictions"]["path"]
    contents = [file.read_bytes() for file in files]
    if any(len(content.splitlines()) != _ROWS + 1 for content in contents):
        wrong.append("left half a file under a final name")
    if [str(file) for file in files] != ([path] if path else []):
        wrong.append(f"recorded {path}, left {files}")
    if any(object_ not in contents for object_ in stored):
        wrong.append("stored other bytes")
    if record["verdict"] == "ok" and not stored:
        wrong.append("says delivered, and was not")
    if path and record["verdict"] != "ok" and path not in record["message"]:
        wrong.append("does not say where the predictions are")
    return wrong


def clean_environment() -> dict[str, str]:
    """This environment without proxies and settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("NUMERAI_")
    }
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "NO_PROXY": "*"}


def table(ends: list[End]) -> list[str]:
    """Verdicts by the faults that a run met, most of which met several."""
    lines = [f"| fault | runs | {' | '.join(_ENDS)} |", "|---|---|" + "---|" * len(_ENDS)]
    kinds = sorted({kind for end in ends for kind in end.plan.kinds})
    for words, chosen in [
        ("none", [end for end in ends if not end.plan.kinds]),
        *((kind, [end for end in ends if kind in end.plan.kinds]) for kind in kinds),
        ("**all**", ends),
    ]:
        counts = Counter(end.verdict for end in chosen)
        cells = " | ".join(str(counts[verdict] or "") for verdict in _ENDS)
        lines.append(f"| {words} | {len(chosen)} | {cells} |")
    return lines


def run_all(count: int, seed: int, folder: Path, sample: Path, workers: int) -> list[End]:
    """That many runs, some at a time."""
    bench = Bench(folder, sample)
    try:
        with ThreadPoolExecutor(workers) as pool:
            plans = [Plan.drawn(number, seed) for number in range(count)]
            return list(pool.map(bench.run, plans))
    finally:
        bench.server.close()


def main() -> int:
    from kills import kill_all

    from numerai_predict.data.synthetic import SampleShape, write_sample

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    write_sample(folder / "sample", SampleShape(_ROWS, 50, 8, 4, features=60))
    began = time.monotonic()
    kills = round(count * _KILLS_SHARE)
    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill_all, kills, seed, folder / "kills", folder / "sample")
        ends = run_all(count, seed, folder, folder / "sample", _WORKERS)
        killed = killing.result()
    minutes = (time.monotonic() - began) / 60
    wrong = [(end.plan, words) for end in ends for words in end.wrong]
    worst = max(end.late for end in ends)
    worst_outside = max(end.late_from_outside for end in ends)
    lines = [
        "# How runs ended that met faults",
        "",
        f"Made by `make test_faults`: {count:,} whole runs of `predict.py` with seed {seed} in "
        f"{minutes:.0f} minutes, each with a deadline of {_DEADLINES[0]:g} to {_DEADLINES[-1]:g} s "
        "and up to three faults on the way of its model, its data and its predictions.",
        "",
        *table(ends),
        "",
        f"The latest concluded {worst:+.2f} s from its deadline (at most {_GRACE_SECONDS:+.2f}); "
        f"with Python's start and end, on a machine with {_WORKERS} runs at a time, "
        f"{worst_outside:+.2f} s. "
        "Truncated or other bytes taken for whole, predictions lost, other bytes stored, "
        f"secrets shown, untrue verdicts, conclusions too late: {len(wrong)}.",
        "",
        f"Of {kills} runs that were killed by SIGKILL at random moments, what was half under a "
        f"final name, or kept the next from succeeding: {len(killed)}.",
    ]
    print("\n".join(lines + killed))
    for plan, words in wrong:
        print(f"run {plan.number} {plan.deadline} {plan.faults}: {words}")
    if count >= 1000:
        _TABLE.write_text("\n".join(lines) + "\n")
    if not wrong + killed:
        shutil.rmtree(folder)
    return 1 if wrong or killed else 0


if __name__ == "__main__":
    sys.exit(main())
