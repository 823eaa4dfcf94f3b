"""Rounds that are killed at random moments, and rounds against every fault.

    python tests/tournament/suite.py [KILLS] [RUNS_A_FAULT] [SEED]

Each is a model of its own on one practice server. Their results are in
tests/tournament/ROUNDS.md. Exit code 1 if any model ended with more than one submission, or
with none where there is no message that says so.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.data.synthetic import SampleShape
from numerai_predict.tournament.practice import process_control
from numerai_predict.tournament.practice.server import KEYS_FILE, ServerSetup
from numerai_predict.tournament.practice.store import PracticeStore

SHAPE = SampleShape(live_rows=1000, rows=40, train_eras=6, validation_eras=4, features=100)
PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"
TABLE = Path(__file__).parent / "ROUNDS.md"
STEPS = ("round ", "data ", "load ", "save ", "gates ", "submit ", "verdict ")
FAULTS = (
    {"kind": "5xx", "share": 0.3},
    {"kind": "5xx", "share": 1.0},
    {"kind": "slow", "share": 0.3, "seconds": 1.0},
    {"kind": "slow", "share": 1.0, "seconds": 8.0},
    {"kind": "graphql", "share": 0.3},
    {"kind": "session", "share": 0.3},
    {"kind": "session", "share": 1.0},
    {"kind": "lost", "share": 0.3},
    {"kind": "lost", "share": 1.0},
    {"kind": "lost", "share": 1.0, "contains": "create_submission"},
)

MODEL = """
import cloudpickle, sys
def predict(live_features):
    names = [name for name in live_features if name.startswith("feature_")][:42]
    return live_features[names].mean(axis=1).rank(pct=True).to_frame("prediction")
with open(sys.argv[1], "wb") as file:
    cloudpickle.dump(predict, file)
"""


class Suite:
    """One practice server and its rounds."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        setup = ServerSetup(folder / "practice", 0, ("first",), True, SHAPE)
        self.server = process_control.start_server(setup, Deadline.after(120))
        self.store = PracticeStore(setup.folder / "practice.sqlite")
        keys = (setup.folder / KEYS_FILE).read_text().splitlines()
        kept = {n: v for n, v in os.environ.items() if not n.startswith("NUMERAI_")}
        homes = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("STATE", "DATA", "CONFIG")}
        self.environment = {**kept, **homes, **dict(line.split("=", 1) for line in keys)}
        self.environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        self.pickle = folder / "model.pkl"
        subprocess.run([sys.executable, "-c", MODEL, self.pickle], check=True)

    def model(self) -> str:
        account = self.store.row("SELECT id FROM accounts")["id"]
        name = f"model_{uuid.uuid4().hex[:8]}"
        self.store.add_model(account, name)
        return name

    def start(self, name: str, *options: str) -> subprocess.Popen[str]:
        words = ["round", str(self.pickle), "--model-name", name, *options]
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env=self.environment,
            start_new_session=True,
        )

    def submissions(self, name: str) -> int:
        found = self.store.row(
            "SELECT COUNT(*) AS n FROM submissions JOIN models ON models.id = model WHERE name = ?",
            name,
        )
        return int(found["n"])

    def killed(self, longest: float) -> tuple[str, int, int]:
        """The step after which one was killed; exit code and submissions after another start."""
        while True:
            name = self.model()
            process = self.start(name)
            time.sleep(self.random.uniform(0.05, longest))
            in_time = process.poll() is None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            log = process.communicate()[1]
            if in_time:
                break
        reached = [step.strip() for step in STEPS if f" {step}" in log]
        again = self.start(name)
        again.communicate(timeout=300)
        return (reached or ["start"])[-1], again.returncode, self.submissions(name)

    def faulty(self, fault: dict, seed: int) -> tuple[int, int, str]:
        """Exit code, submissions and last words of a round against a fault."""
        name = self.model()
        process_control.switch_fault(self.server, {**fault, "seed": seed})
        process = self.start(name, "--deadline", "30")
        log = process.communicate(timeout=300)[1]
        process_control.switch_fault(self.server, None)
        return process.returncode, self.submissions(name), log.strip().splitlines()[-1]


def main(kills: int, runs: int, seed: int) -> int:
    """Do it all and keep the table."""
    lines, wrong = [], 0
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(Path(folder), seed)
        try:
            suite.start(suite.model()).communicate(timeout=300)
            started = time.monotonic()
            suite.start(suite.model()).communicate(timeout=300)
            whole = time.monotonic() - started
            found, bad = _kills(suite, kills, whole)
            lines, wrong = lines + found, wrong + bad
            found, bad = _faults(suite, runs)
            lines, wrong = lines + found, wrong + bad
        finally:
            suite.store.close()
            process_control.stop_server(Path(folder) / "practice", Deadline.after(60))
    today = f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}"
    title = "# Rounds that were broken off, and rounds against faults\n"
    how = f"`make test_rounds`, {today}, seed {seed}; a whole round took {whole:.1f} s."
    TABLE.write_text("\n".join([title, how, "", *lines]).rstrip() + "\n")
    print(TABLE.read_text())
    return 1 if wrong else 0


def _kills(suite: Suite, kills: int, whole: float) -> tuple[list[str], int]:
    ends: dict[str, list[tuple[int, int]]] = collections.defaultdict(list)
    for _ in range(kills):
        step, code, submissions = suite.killed(whole * 1.02)
        ends[step].append((code, submissions))
        print("killed in", step, code, submissions, flush=True)
    lines = ["| killed after the step | rounds | ended with exit 0 | with exactly one submission |"]
    lines.append("|---|---|---|---|")
    for step, found in ends.items():
        good, one = sum(code == 0 for code, _ in found), sum(n == 1 for _, n in found)
        lines.append(f"| {step} | {len(found)} | {good} | {one} |")
    every = [each for found in ends.values() for each in found]
    wrong = sum(each != (0, 1) for each in every)
    lines.append(f"| all | {len(every)} | {len(every) - wrong} | {len(every) - wrong} |")
    return [*lines, ""], wrong


def _faults(suite: Suite, runs: int) -> tuple[list[str], int]:
    lines = [
        "| fault | rounds | submitted | with a reason | two submissions | last words, such as |"
    ]
    lines.append("|---|---|---|---|---|---|")
    wrong = 0
    for fault in FAULTS:
        ended = [suite.faulty(fault, seed) for seed in range(runs)]
        print(fault, [(code, n) for code, n, _ in ended], flush=True)
        submitted = sum(code == 0 and n == 1 for code, n, _ in ended)
        failed = [words for code, n, words in ended if code not in (0, 70) and "verdict" in words]
        two = sum(n > 1 for _, n, _ in ended)
        wrong += two + (submitted + len(failed) != len(ended))
        words = failed[0].partition("verdict ")[2].strip()[:160].replace("|", "/") if failed else ""
        name = " ".join(
            f"{key} {value}" if key != "kind" else str(value) for key, value in fault.items()
        )
        lines.append(f"| {name} | {runs} | {submitted} | {len(failed)} | {two} | {words} |")
    return lines, wrong


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(asked + [50, 6, 8][len(asked) :])))
