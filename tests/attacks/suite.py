"""Play every attempt on this machine and in a container; print and keep the table.

    python tests/attacks/suite.py IMAGE...

The last column is the control: the same attempts with `--sandbox off`, which shows that they do
not fail by themselves.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).parent))

import stage  # noqa: E402

from numerai_predict.data.synthetic import SampleShape, write_sample  # noqa: E402

DOCKER = os.environ.get("DOCKER", "docker")
# Without a sandbox these would harm the machine that the suite runs on.
NOT_IN_CONTROL = (
    "kill the runner",
    "trace the runner",  # it would stand still
    "lower the priority of all processes of its user",
    "let all processes of its user read files last",
    "make a device",
    "read a disk below its files",
    "make its root writable again",
    "mount its private /proc again",
    "uncover what lies below a mount",
    "enter the namespaces of another process",
    "change the memory of the first process in its namespace",
    "hide memory in deleted files of shared memory",
)


def on_machine(folder, sample, *options):
    command = [sys.executable, ROOT / "tests/attacks/stage.py", ROOT / "predict.py"]
    return played([*command, folder, sample, *options])


def in_container(image, user, sample):
    return played(stage.container(image, user, sample).argv(DOCKER))


def played(command):
    """The outcomes that a stage prints, by the name of the attempt."""
    done = {}
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            outcome = stage.Outcome(**json.loads(line))
            done[outcome.name] = outcome
            print(f"  {word(outcome):14} {outcome.name}", file=sys.stderr, flush=True)
    if process.returncode:
        raise SystemExit(f"the stage ended with {process.returncode}")
    return done


def word(outcome):
    if outcome.result == "escaped":
        return "NOT BLOCKED"
    return outcome.verdict if outcome.result == "contained" else outcome.result


def main():
    images = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix="isolation-"))
    folder.chmod(0o755)
    sample = folder / "sample"
    write_sample(sample, SampleShape(live_rows=300, rows=20, train_eras=1, validation_eras=1))
    columns = {}
    try:
        columns["this machine"] = on_machine(folder / "here", sample)
        for image in images:
            for name, user in (("root", "0:0"), ("a user", "1000:1000")):
                columns[f"container, {name}"] = in_container(image, user, sample)
        control = [name for name in stage.attempts.REACHES if name not in NOT_IN_CONTROL]
        columns["without a sandbox"] = on_machine(
            folder / "control", sample, "--sandbox", "off", *control
        )
    finally:
        shutil.rmtree(folder)
    lines = table(columns, images)
    print("\n".join(lines))
    (ROOT / "tests/attacks/ESCAPES.md").write_text("\n".join(lines) + "\n")
    held = [column for name, column in columns.items() if name != "without a sandbox"]
    return int(any(is_defect(outcome) for column in held for outcome in column.values()))


def is_defect(outcome):
    """Whether an attempt succeeded that a layer should have stopped."""
    return outcome.result == "escaped" and outcome.name not in stage.expected_escapes(
        outcome.layers
    )


def table(columns, images):
    when = time.strftime("%Y-%m-%d", time.gmtime())
    lines = [
        "# What hostile models attempt, and how each attempt ends",
        "",
        f"Last run of `make test_attacks`, {when}: Linux {platform.release()}, "
        f"{platform.machine()}, this machine as user {os.getuid()}; {', '.join(images)} with "
        "Docker's default seccomp profile. *blocked*: the model got nothing and its run continued; "
        "a verdict: how the run of a model that used too much or lied ended, with nothing left "
        "behind. The last column is the same model with `--sandbox off`.",
        "",
        f"| attempt | {' | '.join(columns)} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name in stage.every_name():
        cells = [word(column[name]) if name in column else "" for column in columns.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    counts = [
        Counter(word(o) == "NOT BLOCKED" for o in column.values()) for column in columns.values()
    ]
    lines.append(
        f"| **{len(stage.every_name())} attempts, of them not blocked** | "
        + " | ".join(f"**{count[True]} of {count.total()}**" for count in counts)
        + " |"
    )
    lines += ["", *reasons(columns)]
    return lines


def reasons(columns):
    """What was not blocked on each machine, and why."""
    for place, column in columns.items():
        layers = next(iter(column.values())).layers
        if place != "without a sandbox":
            yield f"- {place}: " + "; ".join(f"{name}: {status}" for name, status in layers.items())
            for outcome in column.values():
                if outcome.result == "escaped":
                    why = stage.expected_escapes(layers).get(outcome.name, "a defect")
                    yield f"  - not blocked: {outcome.name}: {outcome.detail} ({why})"


if __name__ == "__main__":
    sys.exit(main())
