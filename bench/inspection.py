"""The wall time and memory of an inspection in its own process, by kind of pickle.

python bench/inspection.py [RUNS]
"""

from __future__ import annotations

import gzip
import os
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

import cloudpickle
import inputs
import lightgbm
import numpy as np
import results

_FOLDER = Path(__file__).parent / ".inputs" / "inspection"
_MEGABYTE = 10**6
_ROOT = Path(__file__).parents[1]

# Times the inspection within the process, without the start of the interpreter. Prints the seconds,
# the memory and the Pythons that it found.
_INSPECT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_text
started = time.perf_counter()
inspection = inspect_pickle(sys.argv[2])
seconds = time.perf_counter() - started
status = open("/proc/self/status").read()
peak = status.split("VmHWM:")[1].split()[0]
print(seconds, peak, inspection.pythons.legal, inspection.partial or "all of it")
"""
_COMMAND = "import sys; sys.path.insert(0, sys.argv.pop(1)); \
from numerai_predict.cli.main import main; sys.exit(main(sys.argv[1:]))"


def predict(live_features):
    return live_features.rank(pct=True)


def _payloads(path, size, each):
    """A function, then arrays of `each` bytes that add up to `size`; the file is sparse."""
    function = cloudpickle.dumps(predict)[11:-1]  # without protocol, frame and end
    with open(path, "wb") as file:
        file.write(b"\x80\x05(" + function)
        for _ in range(size // each):
            file.write(b"\x8e" + struct.pack("<Q", each))
            file.seek(each, os.SEEK_CUR)
        file.write(b"t.")


def _arrays(path, size, each):
    dump = [predict, [np.arange(each // 8) for _ in range(size // each)]]
    path.write_bytes(cloudpickle.dumps(dump))


def _floats(path, size):
    path.write_bytes(cloudpickle.dumps([predict, [float(n) for n in range(size // 9)]]))


def _objects(path, size):
    """Trees as lists of dicts: small opcodes only."""
    nodes = [{"feature": n % 999, "value": n / 7, "left": [n]} for n in range(size // 33)]
    path.write_bytes(cloudpickle.dumps([predict, nodes]))


def _compressed(path, size):
    data = cloudpickle.dumps([predict, np.random.default_rng(7).integers(0, 5, size, np.int8)])
    path.write_bytes(gzip.compress(data, 1))


def _forest(path, _):
    """A typical submission of about 10 MB: a LightGBM model and some arrays."""
    booster = lightgbm.Booster(model_file=inputs.booster())
    path.write_bytes(cloudpickle.dumps([predict, booster, np.zeros(3 * _MEGABYTE, np.int8)]))


_KINDS = [
    ("10 MB, a LightGBM model", _forest, (0,), "10mb.pkl"),
    ("100 MB, one payload", _payloads, (100 * _MEGABYTE, 100 * _MEGABYTE), "one.pkl"),
    ("100 MB, arrays of 100 KB", _arrays, (100 * _MEGABYTE, 100_000), "arrays.pkl"),
    ("100 MB, a list of floats", _floats, (100 * _MEGABYTE,), "floats.pkl"),
    ("100 MB, compressed with gzip", _compressed, (100 * _MEGABYTE,), "gzip.pkl.gz"),
    ("100 MB, three million small objects", _objects, (100 * _MEGABYTE,), "objects.pkl"),
    ("2 GB, one payload", _payloads, (2000 * _MEGABYTE, 2000 * _MEGABYTE), "2gb-one.pkl"),
    ("2 GB, payloads of 1 MB", _payloads, (2000 * _MEGABYTE, _MEGABYTE), "2gb-many.pkl"),
]


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    _FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [
        f"Medians of {runs} runs, each in its own process; memory of the whole process.",
        "",
        "| pickle | inspection, s | memory, MB | inspected |",
        "|---|---|---|---|",
    ]
    for title, make, arguments, name in _KINDS:
        path = _FOLDER / name
        if not path.exists():
            print(f"making {name}, once", flush=True)
            make(path, *arguments)
        lines.append(_measure(title, path, runs))
    seconds = [_command_seconds(_FOLDER / "10mb.pkl") for _ in range(runs)]
    size = (_FOLDER / "10mb.pkl").stat().st_size / _MEGABYTE
    lines += [
        "",
        f"`numerai-predict inspect` on the pickle of {size:.1f} MB, from start to end: "
        f"{statistics.median(seconds):.2f} s (at most 0.30).",
    ]
    results.keep("The inspection of a pickle (`make bench_inspection`)", lines)


def _measure(title, path, runs):
    times, peak = [], 0
    for _ in range(runs):
        command = [sys.executable, "-c", _INSPECT, _ROOT, path]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds, kibibytes, findings = printed.split(" ", 2)
        times.append(float(seconds))
        peak = max(peak, int(kibibytes))
    extent = findings.strip().rpartition(")")[2].strip()
    return f"| {title} | {statistics.median(times):.3f} | {peak / 1024:.0f} | {extent} |"


def _command_seconds(path):
    started = time.perf_counter()
    command = [sys.executable, "-c", _COMMAND, _ROOT, "inspect", path]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
