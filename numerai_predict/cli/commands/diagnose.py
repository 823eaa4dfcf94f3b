"""`numerai-predict diagnose`: a pickle over past eras, and a report."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from numerai_predict.cli.options import data_dir, pickle_source
from numerai_predict.cli.registered_models import local_pickle
from numerai_predict.cli.score_table import score_table
from numerai_predict.contract.dataset_name import is_dataset_name
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits, format_size
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.data.era_selection import Eras
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.data_files import DiagnosisFiles, find_data_files
from numerai_predict.diagnostics.diagnose import Diagnosis, diagnose
from numerai_predict.diagnostics.html_page import inflated_rows, score_rows
from numerai_predict.diagnostics.progress import EraProgress
from numerai_predict.pages.formats import format_number
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.runner.version_mismatch import allows_version_mismatch
from numerai_predict.storage.named_data import describe_unused_file
from numerai_predict.terminal.screen import show


def run(options: argparse.Namespace) -> str:
    """Diagnose a model; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    config = DiagnosisConfig(
        model=local_pickle(pickle_source(options)),
        files=_files(options),
        output_dir=options.output_dir.absolute(),
        eras=Eras.of(options.eras),
        target=options.target,
        benchmark=options.benchmark_model,
        neutral_to=None if options.fnc_features == "none" else options.fnc_features,
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        local=options.no_container,
        debug=options.debug,
        allow_version_mismatch=allows_version_mismatch(options.parser, options),
    )
    progress = EraProgress(functools.partial(log_step, "predict"), stderr_terminal())
    try:
        done = diagnose(config, deadline, progress.update)
    finally:
        progress.end()
    if options.json:
        print(done.numbers.read_text(encoding="utf-8"), end="")
    else:
        _print_scores(done)
    return f"the report is {done.page}"


def _files(options: argparse.Namespace) -> DiagnosisFiles:
    """The data files that the options name; a data set by name is that of the snapshots."""

    def path(text: str | None) -> Path | None:
        if text is None or not is_dataset_name(text):
            return Path(text) if text else None
        if unused := describe_unused_file(text):
            log_step("warning", unused)
        return data_dir(options) / text

    return find_data_files(
        path(options.validation) or data_dir(options) / options.data_version,
        path(options.features_file),
        path(options.benchmarks),
        path(options.meta_model),
    )


def _print_scores(done: Diagnosis) -> None:
    report, usage = done.report, done.usage
    show(f"scores of {report.scored_eras}", *score_table(score_rows(report)), report.looks)
    if report.inflated_scores:
        title = "scores of eras that the model was trained on, or that overlap with those: inflated"
        show(title, *score_table(inflated_rows(report)))
    exposure = format_number(report.max_exposure.mean, 3)
    show(
        f"largest exposure of an era, mean: {exposure}",
        f"{report.turnover_kind.title.lower()}, mean: {format_number(report.turnover.mean, 2)}",
        f"the model took {format_size(usage.peak_bytes)} at its peak, {usage.load_seconds:.2f} s "
        f"to load, {usage.slowest_seconds:.2f} s for its slowest era",
    )
