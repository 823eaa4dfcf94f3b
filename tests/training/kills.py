"""Trainings that are killed at random moments and resumed.

    python tests/training/kills.py [KILLS] [SEED]

Each ends with the same final models, byte by byte, as an uninterrupted training. The results
are written to tests/training/KILLS.md. Exit code 1 if one differs.
"""

from __future__ import annotations

import collections
import datetime
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from trainings import SHAPE, Training  # noqa: E402

from numerai_predict.data.synthetic import write_sample  # noqa: E402

RESULTS = Path(__file__).parent / "KILLS.md"
_STEP = re.compile(r"^\d\d:\d\d:\d\d (\w+) ")


def killed(training: Training, lines: int, delay: float) -> str:
    """Start the training and kill it that long after its log has so many lines; where it was.

    Lines, not seconds: a machine with other work to do would be killed at its start each time.
    """
    log = training.folder / "killed.log"
    with open(log, "w") as file:
        process = subprocess.Popen(
            training.command("--reveal-holdout"),
            stderr=file,
            stdout=file,
            env=training.environment(),
        )
        while process.poll() is None and len(log.read_text().splitlines()) < lines:
            time.sleep(0.02)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        code = process.wait()
    if code == 0:
        return "when it had ended"
    steps = [found[1] for line in log.read_text().splitlines() if (found := _STEP.match(line))]
    return f"after {steps[-1]}" if steps else "before its first step"


def results(training: Training) -> tuple[list[str], dict[str, object]]:
    """What must be the same: the hashes of the final models, and the scores."""
    return training.models(), training.scores()


def main() -> int:
    """Kill, resume, compare, write the results."""
    kills, seed = (int(word) for word in [*sys.argv[1:], *["20", "9"][len(sys.argv) - 1 :]])
    moments = random.Random(seed)
    at: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    done_before = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sample(folder / "sample", SHAPE)
        whole = Training(folder / "whole", folder / "sample")
        lines = len(whole.succeeds("--reveal-holdout").lines)
        for number in range(kills):
            training = Training(folder / str(number), folder / "sample")
            step = killed(training, moments.randrange(lines), moments.uniform(0, 0.6))
            at[step] += 1
            ended = training.succeeds("--reveal-holdout")
            done_before += ended.text.count("was done before")
            if results(training) != results(whole) or training.leftovers():
                wrong.append(f"{number}: {step}")
            print(f"{number + 1} of {kills}: {step}", flush=True)
        models = len(json.loads((whole.output / "manifest.json").read_bytes())["models"])
    _keep(kills, seed, at, done_before, models, wrong)
    return bool(wrong)


def _keep(kills, seed, at, done_before, models, wrong):
    lines = [
        "# Killed trainings",
        "",
        f"`make test_training`, {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}, seed "
        f"{seed}: {kills} trainings were killed (`kill -9`) at a random moment, and",
        f"resumed with the same command. {kills - len(wrong)} of {kills} ended with the same "
        f"{models} final models, byte by byte, and the same scores as an",
        f"uninterrupted training, and left no other files. {done_before} finished models were not "
        "trained again.",
        "",
        "| killed | times |",
        "|---|---|",
        *(f"| {step} | {times} |" for step, times in sorted(at.items())),
        *(f"- WRONG {each}" for each in wrong),
    ]
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
