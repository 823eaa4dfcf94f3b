"""`numerai-predict run`: predict.py with the defaults of a first try."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numerai_predict
from numerai_predict.contract.record import Record
from numerai_predict.runner.arguments import Defaults, argument_parser, job_of
from numerai_predict.runner.main import execute

_PREVIEW_ROWS = 5


def main(argv: Sequence[str]) -> int:
    """Run a model as `predict.py` does, then show its first predictions."""
    sample = _sample_directory(os.environ)
    defaults = Defaults(
        dataset=str(sample / "live.parquet"),
        benchmarks=str(sample / "live_benchmark_models.parquet"),
        output_dir=Path(),
    )
    job = job_of(argument_parser("numerai-predict run", defaults), argv)
    if {job.dataset, job.benchmarks} & {defaults.dataset, defaults.benchmarks}:
        _make_sample(sample)
    record = execute(job)
    _show_predictions(record)
    return record.exit_code


def _sample_directory(environment: Mapping[str, str]) -> Path:
    """Where this user's sample data lies: in the cache, one folder a version of ours."""
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "numerai-predict" / f"sample-{numerai_predict.__version__}"


def _make_sample(directory: Path) -> None:
    if directory.is_dir():
        return
    from numerai_predict.data.sample import write_sample  # pandas takes 0.4 s to import

    print(f"Making sample data, once, in {directory}", file=sys.stderr)
    directory.parent.mkdir(parents=True, exist_ok=True)
    write_sample(directory)


def _show_predictions(record: Record) -> None:
    path = record.predictions.path
    if path is None:
        return
    print(f"\nThe first of {record.predictions.rows:,} predictions in {path}:\n")
    with open(path, encoding="utf-8") as lines:
        for line in itertools.islice(lines, _PREVIEW_ROWS + 1):
            row_id, _, prediction = line.rstrip("\n").partition(",")
            print(f"  {row_id:18}{prediction}")
