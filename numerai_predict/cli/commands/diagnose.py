"""`numerai-predict diagnose`: a pickle over past eras, and a report."""

from __future__ import annotations

import argparse
import functools

from numerai_predict.cli.diagnosis_options import diagnosis_config
from numerai_predict.cli.options import pickle_source
from numerai_predict.cli.score_table import score_table
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import format_size
from numerai_predict.diagnostics.diagnose import Diagnosis, diagnose
from numerai_predict.diagnostics.html_page import inflated_rows, score_rows
from numerai_predict.diagnostics.progress import EraProgress
from numerai_predict.pages.formats import format_number
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.terminal.screen import show


def run(options: argparse.Namespace) -> str:
    """Diagnose a model; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    config = diagnosis_config(options, pickle_source(options))
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
