"""`numerai-predict run`: predict.py with the defaults of a first try, in the right image."""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numerai_predict
from numerai_predict.cli.options import pickle_source
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.job import Job
from numerai_predict.inspection.images import Image
from numerai_predict.runner.container.target import ContainerImage, LocalPython, choose_target
from numerai_predict.runner.entrypoint import execute
from numerai_predict.runner.options import job_from_options
from numerai_predict.storage.directories import sample_directory

_PREVIEW_ROWS = 5
# In a checkout; an installed package cannot build images.
_BUILD = Path(numerai_predict.__file__).parents[1] / "images" / "build"


def run(options: argparse.Namespace) -> int:
    """Run a model as `predict.py` does, then show its first predictions."""
    options.model = pickle_source(options)
    job = _with_absolute_paths(job_from_options(options.parser, options))
    sample = sample_directory()
    if any(Path(source).is_relative_to(sample) for source in (job.dataset, job.benchmarks)):
        _make_sample(sample)
    if options.no_container:
        target: ContainerImage | LocalPython = LocalPython("as requested by --no-container")
    else:
        target = choose_target(job.model, _build if options.build_image else None)
    _print_status(target.announcement)
    if isinstance(target, LocalPython):
        return _run_locally(job)
    return _run_in_image(target, job)


def _build(image: Image) -> bool:
    if not _BUILD.is_file():
        return False
    _print_status(f"The image {image.name} is missing: building it takes some minutes, once")
    return subprocess.run([_BUILD, image.python, image.flavour], stdout=sys.stderr).returncode == 0


def _run_locally(job: Job) -> int:
    record = execute(job)
    _show_predictions(record.predictions.path, record.predictions.rows)
    return record.exit_code


def _run_in_image(target: ContainerImage, job: Job) -> int:
    with tempfile.TemporaryDirectory() as folder:
        result = job.result or Path(folder, "record.json")
        code = target.engine.run_job(target.image.name, replace(job, result=result))
        if result.is_file():
            predictions = json.loads(result.read_text())["predictions"]
            _show_predictions(predictions["path"], predictions["rows"])
    return code


def _with_absolute_paths(job: Job) -> Job:
    """The job with its local files by their full paths, which hold in a container as well."""
    sources = (job.model, job.dataset, job.benchmarks)
    model, dataset, benchmarks = (
        str(Path(source).absolute()) if Path(source).is_file() else source for source in sources
    )
    result = job.result.absolute() if job.result else None
    return replace(job, model=model, dataset=dataset, benchmarks=benchmarks, result=result)


def _make_sample(directory: Path) -> None:
    if directory.is_dir():
        return
    from numerai_predict.data.synthetic import write_sample  # pandas takes 0.4 s to import

    _print_status(f"Making sample data, once, in {directory}")
    directory.parent.mkdir(parents=True, exist_ok=True)
    write_sample(directory)


def _print_status(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _show_predictions(path: str | None, rows: int | None) -> None:
    if path is None:
        return
    print(f"\nThe first of {rows:,} predictions in {path}:\n")
    with open(path, encoding="utf-8") as lines:
        for line in itertools.islice(lines, _PREVIEW_ROWS + 1):
            row_id, _, prediction = line.rstrip("\n").partition(",")
            print(one_line(f"  {row_id:18}{prediction}"))
