"""`numerai-predict diagnose`: one or several pickles over past eras, and a report."""

from __future__ import annotations

import argparse
import functools

from numerai_predict.cli.diagnosis_options import diagnosis_config
from numerai_predict.cli.options import pickle_sources
from numerai_predict.cli.score_table import (
    describe_largest_exposure,
    format_score,
    format_score_interval,
    score_table,
)
from numerai_predict.contract.counting import counted
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import format_size
from numerai_predict.diagnostics.comparison_conclusion import score_label
from numerai_predict.diagnostics.conclusion import conclusion
from numerai_predict.diagnostics.diagnose import (
    Diagnosis,
    ModelsDiagnosis,
    diagnose,
    diagnose_models,
)
from numerai_predict.diagnostics.html_page import inflated_rows, score_rows
from numerai_predict.diagnostics.progress import EraProgress
from numerai_predict.diagnostics.report import Report
from numerai_predict.diagnostics.several_models import ModelsReport
from numerai_predict.pages.formats import format_name, format_number
from numerai_predict.pages.palette import COLOURS
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.terminal.screen import Part, show
from numerai_predict.terminal.table import Column, TextTable

_EXPOSURES = 3  # features that the terminal names


def run(options: argparse.Namespace) -> str:
    """Diagnose models; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    configs = [diagnosis_config(options, each) for each in pickle_sources(options, len(COLOURS))]
    progress = EraProgress(functools.partial(log_step, "predict"), stderr_terminal())
    try:
        done: Diagnosis | ModelsDiagnosis = (
            diagnose(configs[0], deadline, progress.update)
            if len(configs) == 1
            else diagnose_models(configs, deadline, progress.update)
        )
    finally:
        progress.end()
    if options.json:
        print(done.numbers.read_text(encoding="utf-8"), end="")
    elif isinstance(done, Diagnosis):
        _print_scores(done)
    else:
        _print_models(done.models)
    return f"the report is {done.page}"


def _print_models(models: ModelsReport) -> None:
    if not models.eras:
        show("every era was part of the training of a model: the page has the scores of each")
        return
    columns = [Column("model", wraps=True)]
    for score in models.summaries:
        columns += [Column(score_label(score), right=True), Column("95% interval", right=True)]
    rows = [_row(models, name) for name in models.names]
    show(f"scores of {counted(len(models.eras), 'era')} that no model was trained on, as far as "
         "that is known", TextTable(columns, rows), _worth(models))  # fmt: skip


def _worth(models: ModelsReport) -> str:
    """How many independent eras the intervals count, and why."""
    effective = next(iter(next(iter(models.summaries.values())).values())).effective_eras
    eras = counted(len(models.eras), "era")
    worth = f"{format_score(effective, 1)} effective ones"
    return f"intervals: {eras} are worth {worth}; {models.reports[0].overlap}"


def _row(models: ModelsReport, name: str) -> list[str]:
    cells = [name]
    for by_model in models.summaries.values():
        summary = by_model[name]
        cells += [format_score(summary.mean), format_score_interval(summary.mean_interval)]
    return cells


def _exposures(report: Report) -> list[Part]:
    """The largest exposure of an era, and the features that the predictions follow most."""
    columns = [Column("exposure to", wraps=True)]
    columns += [Column(each, right=True) for each in ("mean |x|", "largest |x|", "sign changes")]
    rows = [
        [
            format_name(each.name),
            format_number(each.mean_absolute, 3),
            format_number(each.largest, 3),
            str(each.sign_changes),
        ]
        for each in report.exposures[:_EXPOSURES]
    ]
    return [
        *([TextTable(columns, rows)] if rows else []),
        describe_largest_exposure(report.max_exposure.mean, report.max_exposure.largest),
    ]


def _print_scores(done: Diagnosis) -> None:
    report, usage = done.report, done.usage
    show(*conclusion(report), "")
    show(f"scores of {report.scored_eras}", *score_table(score_rows(report)), report.looks)
    if report.inflated_scores:
        title = "scores of eras that the model was trained on, or that overlap with those: inflated"
        show(title, *score_table(inflated_rows(report)))
    show(f"intervals: {report.overlap}", *_exposures(report))
    show(
        f"{report.turnover_kind.title.lower()}, mean: {format_number(report.turnover.mean, 2)}",
        f"the model took {format_size(usage.peak_bytes)} at its peak, {usage.load_seconds:.2f} s "
        f"to load, {usage.slowest_seconds:.2f} s for its slowest era",
    )
