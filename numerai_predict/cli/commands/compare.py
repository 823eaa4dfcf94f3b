"""`numerai-predict compare`: two pickles over the same past eras."""

from __future__ import annotations

import argparse
import functools

from numerai_predict.cli.diagnosis_options import diagnosis_config
from numerai_predict.cli.score_table import format_score, format_score_interval
from numerai_predict.contract.deadline import Deadline
from numerai_predict.diagnostics.compare import compare
from numerai_predict.diagnostics.comparison import ModelComparison, ScoreDifference
from numerai_predict.diagnostics.comparison_conclusion import conclude, names_of, score_label
from numerai_predict.diagnostics.progress import EraProgress
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.terminal.screen import show
from numerai_predict.terminal.table import Column, TextTable


def run(options: argparse.Namespace) -> str:
    """Compare two models; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    first, second = (diagnosis_config(options, each) for each in (options.pickle, options.second))
    progress = EraProgress(functools.partial(log_step, "predict"), stderr_terminal())
    try:
        done = compare(first, second, deadline, progress.update)
    finally:
        progress.end()
    if options.json:
        print(done.numbers.read_text(encoding="utf-8"), end="")
    else:
        _print(done.comparison)
    return f"the report is {done.page}"


def _print(comparison: ModelComparison) -> None:
    columns = [
        Column(""),
        *(Column(name, right=True) for name in names_of(comparison)),
        Column("difference", right=True),
        Column("95 % interval", right=True),
        Column("eras", right=True),
        Column("effective", right=True),
        Column("the first is"),
    ]
    rows = [_row(name, each) for name, each in comparison.differences.items()]
    show(TextTable(columns, rows), "", *conclude(comparison))


def _row(name: str, each: ScoreDifference) -> tuple[str, ...]:
    return (
        score_label(name),
        format_score(each.first.mean),
        format_score(each.second.mean),
        format_score(each.difference.mean),
        format_score_interval(each.difference.mean_interval),
        str(each.difference.eras),
        format_score(each.difference.effective_eras, 1),
        each.judgement.value,
    )
