"""The CPU time and memory of the inspection of each pickle that is crafted to make it expensive.

python bench/crafted_pickles.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import results

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/inspection"))

import crafted

_MOST_SECONDS, _MOST_MEGABYTES = 2.0, 300
_READING_SPEED = 100e6  # bytes per second, of files that are large themselves


def main() -> int:
    lines = [
        "Each in a process of its own: CPU seconds, memory of the whole process. A file may take "
        "2 s and the time to read it at 100 MB/s.",
        "",
        "| pickle | MB | inspection, s | at most | memory, MB | at most | inspected |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in crafted.CRAFTED:
            path = Path(folder, name)
            crafted.write(name, path)
            size = path.stat().st_size
            rows.append((*crafted.measure(path), _MOST_SECONDS + size / _READING_SPEED))
            seconds, megabytes, result, most = rows[-1]
            lines.append(
                f"| {path.stem} | {size / 1e6:.1f} | {seconds:.2f} | {most:.2f} | {megabytes} "
                f"| {_MOST_MEGABYTES} | {result.partition(':')[0]} |"
            )
            path.unlink()
    slow = sum(seconds > most for seconds, _, _, most in rows)
    large = sum(megabytes > _MOST_MEGABYTES for _, megabytes, _, _ in rows)
    lines += ["", f"{len(rows)} pickles: {slow} took too long, {large} took too much memory."]
    results.keep("The inspection of crafted pickles (`make bench_crafted`)", lines)
    return int(slow + large > 0)


if __name__ == "__main__":
    sys.exit(main())
