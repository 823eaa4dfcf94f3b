"""How long `numerai-predict COMMAND --help` takes, for every command and sub-command.

    python bench/command_start.py [--runs N] [--limit SECONDS]

Prints the median and the shortest wall time and the median CPU time of each, beside those of a
Python that does nothing. Exits with 1 where the CPU time of a help exceeds the limit: wall time
depends on what else the machine does.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

from numerai_predict.cli.main import build_parser

PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"


def commands(parser):
    """The words of every command and sub-command."""
    yield parser.prog.split()[1:]
    if parser.commands is not None:
        for child in parser.commands.choices.values():
            yield from commands(child)


def measure(argv, runs):
    """Wall and CPU seconds of each run, after one that fills the caches."""
    wall, cpu = [], []
    environment = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON"}
    for _ in range(runs + 1):
        before, started = cpu_seconds(), time.perf_counter()
        subprocess.run(argv, stdout=subprocess.DEVNULL, env=environment, check=True)
        wall.append(time.perf_counter() - started)
        cpu.append(cpu_seconds() - before)
    return wall[1:], cpu[1:]


def cpu_seconds():
    """CPU seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def show(name, wall, cpu):
    figures = (statistics.median(wall), min(wall), statistics.median(cpu))
    print(f"{name:32}" + "".join(f"{1000 * seconds:10.0f}" for seconds in figures), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--limit", type=float, default=0.3, help="CPU seconds of a help")
    options = parser.parse_args()
    print(f"{'milliseconds':32}{'median':>10}{'shortest':>10}{'CPU':>10}")
    show("(python -c pass)", *measure([sys.executable, "-c", "pass"], options.runs))
    slow = []
    for words in commands(build_parser()):
        argv = [sys.executable, "-c", PROGRAM, *words, "--help"]
        wall, cpu = measure(argv, options.runs)
        name = " ".join(words) or "(no command)"
        show(name, wall, cpu)
        if statistics.median(cpu) > options.limit:
            slow.append(name)
    if slow:
        print(f"above {options.limit} s: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
