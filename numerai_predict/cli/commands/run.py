"""`numerai-predict run`: predict.py with defaults for a first run, in the matching image."""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
from dataclasses import replace
from pathlib import Path

from numerai_predict.cli.image_build import build_image
from numerai_predict.cli.options import pickle_source
from numerai_predict.cli.registered_models import local_pickle, registered_name
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.job import Job
from numerai_predict.contract.path_access import is_directory
from numerai_predict.runner.container.job_run import JobResult, run_job, target_and_job
from numerai_predict.runner.container.target import ContainerImage
from numerai_predict.runner.entrypoint import execute, write_failure
from numerai_predict.runner.options import job_from_options
from numerai_predict.runner.termination import raised_at_sigterm
from numerai_predict.runner.validation.submission_file import require_directory
from numerai_predict.storage.directories import sample_directory
from numerai_predict.storage.named_data import absolute_source, describe_unused_file
from numerai_predict.terminal.screen import show
from numerai_predict.terminal.table import Column, TextTable

_PREVIEW_ROWS = 5


def run(options: argparse.Namespace) -> int:
    """Run a model as `predict.py` does, then show its first predictions."""
    source = pickle_source(options)
    job = job_from_options(options.parser, options, local_pickle(source))
    job = _with_absolute_paths(job)
    if name := registered_name(source):
        job = replace(job, model_source=name)
    sample = sample_directory()
    try:
        if not job.check:
            require_directory(job.output_dir)
        if any(Path(source).is_relative_to(sample) for source in (job.dataset, job.benchmarks)):
            _make_sample(sample)
        result = _run(job, options)
    except RunError as error:
        write_failure(job, error)
        raise
    if result.record is not None:
        predictions = result.record.predictions
        _show_predictions(predictions.file_in(job.output_dir), predictions.rows)
    return result.exit_code


def _run(job: Job, options: argparse.Namespace) -> JobResult:
    build = build_image if options.build_image else None
    with raised_at_sigterm(), target_and_job(job, options.no_container, build) as (target, located):
        _print_status(target.announcement)
        if isinstance(target, ContainerImage):  # the container does not see such a file
            for unused in filter(None, map(describe_unused_file, (job.dataset, job.benchmarks))):
                _print_status(f"Warning: {unused}")
        return run_job(target, located, execute)


def _with_absolute_paths(job: Job) -> Job:
    """The job with its local files by their full paths, which hold in a container as well."""
    model, dataset, benchmarks = map(absolute_source, (job.model, job.dataset, job.benchmarks))
    result = job.result.absolute() if job.result else None
    return replace(job, model=model, dataset=dataset, benchmarks=benchmarks, result=result)


def _make_sample(directory: Path) -> None:
    if is_directory(directory):
        return
    from numerai_predict.data.synthetic import write_sample  # pandas takes 0.4 s to import

    _print_status(f"Making sample data, once, in {directory}")
    directory.parent.mkdir(parents=True, exist_ok=True)
    write_sample(directory)


def _print_status(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _show_predictions(path: Path | None, rows: int | None) -> None:
    if path is None:
        return
    with open(path, encoding="utf-8", newline="") as file:
        header, *first = itertools.islice(csv.reader(file), _PREVIEW_ROWS + 1)
    columns = (Column(header[0], wraps=True), Column(header[1], right=True))
    cells = [(row_id, f"{float(value):.6f}") for row_id, value in first]
    title = f"The first of {rows:,} predictions in {one_line(path)}:"
    show("", title, "", TextTable(columns, cells, indent=2))
