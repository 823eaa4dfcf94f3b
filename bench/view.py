"""The peak memory of a view, against pandas, each measured in its own process.

python bench/view.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import results

ROWS, FEATURES, ERA_ROWS = 300_000, 2_750, 5_000
FOLDER = Path(__file__).parent / ".inputs"

_MEASURE = """
import resource, sys, time
from pathlib import Path
path, names = Path(sys.argv[1]), [f"feature_{n:04d}" for n in range(int(sys.argv[2]))]
started = time.perf_counter()
%s
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(peak, time.perf_counter() - started)
"""
_VIEW = """
from numerai_predict.data.view import read_view
view = read_view(path, names, targets=["target"])
assert view.features.shape == (300_000, len(names)), view.features.shape
"""
_PANDAS = """
import pandas as pd
frame = pd.read_parquet(path, columns=["era", *names, "target"])
"""


def main() -> None:
    """Measure, print and store the results."""
    own = ROWS * FEATURES
    lines = [
        f"A view of {ROWS:,} rows x {FEATURES:,} int8 features, {own / 1e6:.0f} MB of its own.",
        "Peak is of the whole process, interpreter and libraries included.",
        "",
        "| file | reader | peak | of its own bytes | seconds |",
        "|---|---|---|---|---|",
    ]
    for title, group in (("one row group per era", ERA_ROWS), ("one row group", ROWS)):
        path = _file(group)
        for reader, program in (("view", _VIEW), ("pandas", _PANDAS)):
            measured = _measure(path, program)
            if measured is None:
                lines.append(f"| {title} | {reader} | - | - | ran out of memory |")
                continue
            peak, seconds = measured
            lines.append(
                f"| {title} | {reader} | {peak / 1e6:.0f} MB | {peak / own:.2f} | {seconds:.1f} |"
            )
        path.unlink()
    results.keep("Views: memory", lines)


def _measure(path: Path, program: str) -> tuple[float, float] | None:
    words = [sys.executable, "-c", _MEASURE % program, str(path), str(FEATURES)]
    ended = subprocess.run(words, capture_output=True, text=True)
    if ended.returncode != 0:
        print(ended.stderr[-500:], file=sys.stderr)
        return None
    peak, seconds = map(float, ended.stdout.split())
    return peak, seconds


def _file(group: int) -> Path:
    """A file with row groups of that size; it repeats blocks of random values."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"view-{group}.parquet"
    random = np.random.default_rng(1)
    names = [f"feature_{number:04d}" for number in range(FEATURES)]
    schema = pa.schema(
        [("id", pa.string()), ("era", pa.string())]
        + [(name, pa.int8()) for name in names]
        + [("target", pa.float32())]
    )
    with pq.ParquetWriter(path, schema) as writer:
        values = random.integers(0, 5, (64, group)).astype(np.int8)
        blocks = [pa.array(row) for row in values]
        target = pa.array(random.random(group).astype(np.float32))
        for start in range(0, ROWS, group):
            ids = pa.array([f"n{number:015x}" for number in range(start, start + group)])
            eras = pa.array(
                [f"{number // ERA_ROWS + 1:04d}" for number in range(start, start + group)]
            )
            columns = [blocks[number % 64] for number in range(FEATURES)]
            writer.write_table(pa.table([ids, eras, *columns, target], schema))
    return path


if __name__ == "__main__":
    main()
