"""Diagnose a model: predict past eras, compute metrics, write the page and its numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.html_page import render_diagnosis
from numerai_predict.diagnostics.measured_model import measure_model
from numerai_predict.diagnostics.model_usage import ModelUsage
from numerai_predict.diagnostics.notes import make_notes
from numerai_predict.diagnostics.report import Report
from numerai_predict.diagnostics.report_files import write_together
from numerai_predict.diagnostics.report_from_metrics import make_report
from numerai_predict.diagnostics.report_json import report_as_json
from numerai_predict.runner.submission_file import require_directory

PAGE, NUMBERS = "diagnose.html", "diagnose.json"


@dataclass(frozen=True)
class Diagnosis:
    """The result of a diagnosis; `page` is the path of the HTML file, `numbers` of the JSON."""

    report: Report
    usage: ModelUsage
    page: Path
    numbers: Path


def diagnose(
    config: DiagnosisConfig, deadline: Deadline, on_progress: Callable[[int, int], None]
) -> Diagnosis:
    """Run the model over past eras and write the page and its numbers: both files or none.

    Calls `on_progress(done, total)` after each era.

    Raises:
        RunError: data are missing, the model cannot run or failed, or the files cannot be written.
    """
    started = time.monotonic()
    require_directory(config.output_dir)
    model = measure_model(config, deadline, on_progress)
    models_shown = model.count_look()
    usage = model.usage
    notes = make_notes(config, model.validation, model.metrics, usage, model.trained)
    report = make_report(
        model.subject, model.metrics, model.feature_sets.sets, model.kinds, models_shown, notes
    )
    page = _write(config.output_dir, report, _run_info(usage, time.monotonic() - started))
    return Diagnosis(report, usage, page, page.with_name(NUMBERS))


def _run_info(usage: ModelUsage, seconds: float) -> dict[str, object]:
    """The part of the JSON that differs between runs of the same model."""
    return {
        "peak_memory_bytes": usage.peak_bytes or None,
        "slowest_seconds": usage.slowest_seconds,
        "load_seconds": usage.load_seconds,
        "seconds": seconds,
        "repeatable": usage.repeatable,
        "python": usage.record.environment.python,
        "version": usage.record.environment.runner,
        "sandbox": dict(usage.record.sandbox),
    }


def _write(directory: Path, report: Report, run: dict[str, object]) -> Path:
    page, numbers = directory / PAGE, directory / NUMBERS
    write_together({numbers: report_as_json(report, run), page: render_diagnosis(report)})
    return page
