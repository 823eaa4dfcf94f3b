"""Processes that change and read one registry at once, and are killed at random moments.

    python tests/registry_stress.py [SECONDS] [PROCESSES] [SEED]

No version may be lost, no read torn, and each alias must always name a whole version. The result
is written to tests/registry/STRESS.md; the exit code is 1 if something was wrong.
"""

from __future__ import annotations

import datetime
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.registry_errors import UnknownVersion
from numerai_predict.registry.reference import PRODUCTION, Reference
from numerai_predict.registry.registry import Registry
from numerai_predict.registry.store import DirectoryStore

RESULTS = Path(__file__).parent / "registry" / "STRESS.md"
NAME = "mine"
_CONTENT_BYTES = 20_000


@dataclass(frozen=True)
class Outcome:
    """What the processes did, by kind; how often one was killed; and what was wrong."""

    done: Counter[str]
    kills: int
    faults: list[str]


def registry_in(folder: Path) -> Registry:
    """The registry that the processes share."""
    return Registry(DirectoryStore(folder / "registry"))


def work(folder: Path, seed: int) -> None:
    """Change and read the registry until killed; each act that is done is a line of a journal."""
    registry, random_ = registry_in(folder), random.Random(seed)
    with open(folder / f"journal-{seed}", "a", buffering=1) as journal:
        while True:
            act = random_.choice((_add, _promote, _roll_back, _read))
            try:
                done = act(registry, folder, random_)
            except UnknownVersion:
                continue
            except Exception:
                done = {"fault": traceback.format_exc()}
            journal.write(json.dumps(done) + "\n")


def _add(registry: Registry, folder: Path, random_: random.Random) -> dict[str, object]:
    path = folder / f"content-{os.getpid()}"
    path.write_bytes(random_.randbytes(_CONTENT_BYTES))
    version = registry.add(NAME, {"model.pkl": path}, {}, None)
    return {"act": "added", "version": version.number}


def _promote(registry: Registry, _folder: Path, random_: random.Random) -> dict[str, object]:
    numbers = list(registry.known_history(NAME).versions)
    registry.set_alias(Reference(NAME, random_.choice(numbers), None), PRODUCTION, None)
    return {"act": "promoted"}


def _roll_back(registry: Registry, _folder: Path, _random: random.Random) -> dict[str, object]:
    registry.roll_back(NAME)
    return {"act": "rolled back"}


def _read(registry: Registry, _folder: Path, _random: random.Random) -> dict[str, object]:
    version = registry.version(Reference(NAME, None, PRODUCTION))
    if faults := registry.faults(version):
        return {"fault": f"production names version {version.number}: {faults}"}
    return {"act": "read"}


def run(folder: Path, seconds: float, processes: int, seed: int) -> Outcome:
    """Let the processes work, and kill and replace one again and again."""
    random_, context = random.Random(seed), multiprocessing.get_context("fork")
    seeds = iter(range(seed * 10_000, (seed + 1) * 10_000))

    def start() -> multiprocessing.process.BaseProcess:
        process = context.Process(target=work, args=(folder, next(seeds)), daemon=True)
        process.start()
        return process

    running, kills, end = [start() for _ in range(processes)], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(random_.uniform(0.02, 0.2))
        place = random_.randrange(processes)
        os.kill(running[place].pid or 0, signal.SIGKILL)
        running[place].join()
        running[place] = start()
        kills += 1
    for process in running:
        process.kill()
        process.join()
    return _judge(folder, kills)


def _judge(folder: Path, kills: int) -> Outcome:
    acts = [act for path in folder.glob("journal-*") for act in _lines(path)]
    faults = [str(act["fault"]) for act in acts if "fault" in act]
    registry = registry_in(folder)
    history = registry.known_history(NAME)
    numbers = [event.number for event in history.events]
    if numbers != list(range(1, len(numbers) + 1)):
        faults.append(f"the events are not numbered without a gap: {numbers}")
    if list(history.versions) != list(range(1, history.newest + 1)):
        faults.append(f"the versions are not numbered without a gap: {list(history.versions)}")
    added = [act["version"] for act in acts if act.get("act") == "added"]
    faults += [f"version {number} was lost" for number in added if number not in history.versions]
    faults += [f"version {number} was given twice" for number in added if added.count(number) > 1]
    for version in history.versions.values():
        faults += [f"version {version.number}: {fault}" for fault in registry.faults(version)]
    return Outcome(Counter(str(act["act"]) for act in acts if "act" in act), kills, faults)


def _lines(path: Path) -> list[dict[str, object]]:
    """The acts of a journal; the last line of a killed process may be incomplete."""
    lines = path.read_text().split("\n")[:-1]
    return [json.loads(line) for line in lines]


def main() -> int:
    """Run, print and store the outcome."""
    seconds, processes, seed = (int(word) for word in (*sys.argv[1:], 60, 8, 1)[:3])
    with tempfile.TemporaryDirectory(prefix="registry-") as name:
        outcome = run(Path(name), seconds, processes, seed)
    done = ", ".join(f"{count:,} {act}" for act, count in sorted(outcome.done.items()))
    today = datetime.datetime.now(datetime.timezone.utc).date()
    lines = [
        "# A registry that several processes change at once",
        "",
        f"Last run of `make test_registry`, {today}: {processes} processes for {seconds} s, "
        f"{outcome.kills} of them killed and replaced. Done: {done}. "
        f"Wrong: {len(outcome.faults)}.",
        *[f"- {fault}" for fault in outcome.faults],
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.write_text(text)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
