"""Diagnose models: predict past eras, compute metrics, write the page and its numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.html_page import render_diagnosis
from numerai_predict.diagnostics.measured_model import MeasuredModel, measure_model
from numerai_predict.diagnostics.measured_models import measure_models
from numerai_predict.diagnostics.model_usage import ModelUsage
from numerai_predict.diagnostics.notes import make_notes
from numerai_predict.diagnostics.report import Report
from numerai_predict.diagnostics.report_files import write_together
from numerai_predict.diagnostics.report_from_metrics import make_report
from numerai_predict.diagnostics.report_json import report_as_json
from numerai_predict.diagnostics.several_models import ModelsReport, make_models_report
from numerai_predict.diagnostics.several_models_page import models_as_json, render_models
from numerai_predict.runner.validation.submission_file import require_directory

PAGE, NUMBERS = "diagnose.html", "diagnose.json"


@dataclass(frozen=True)
class Diagnosis:
    """The result of a diagnosis; `page` is the path of the HTML file, `numbers` of the JSON."""

    report: Report
    usage: ModelUsage
    page: Path
    numbers: Path


@dataclass(frozen=True)
class ModelsDiagnosis:
    """The result of a diagnosis of several models; see `Diagnosis` for the paths."""

    models: ModelsReport
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
    report = _report(model, model.count_look())
    run = _run_info(model.usage, time.monotonic() - started)
    page = _write(config.output_dir, report_as_json(report, run), render_diagnosis(report))
    return Diagnosis(report, model.usage, page, page.with_name(NUMBERS))


def diagnose_models(
    configs: Sequence[DiagnosisConfig], deadline: Deadline, on_progress: Callable[[int, int], None]
) -> ModelsDiagnosis:
    """Run several models over the same past eras; see `diagnose`.

    The configurations differ in the model alone. `seconds` of each run's numbers are those of all.

    Raises:
        RunError: data are missing, a model cannot run or failed, or the files cannot be written.
    """
    started = time.monotonic()
    directory = configs[0].output_dir
    require_directory(directory)
    measured = measure_models(configs, deadline, on_progress)
    shown = [each.model.count_look() for each in measured]
    # Each is one of all that were shown, the later ones too.
    most = max((count for count in shown if count is not None), default=None)
    models = make_models_report(measured, [_report(each.model, most) for each in measured])
    seconds = time.monotonic() - started
    runs = [_run_info(each.model.usage, seconds) for each in measured]
    page = _write(directory, models_as_json(models, runs), render_models(models))
    return ModelsDiagnosis(models, page, page.with_name(NUMBERS))


def _report(model: MeasuredModel, models_shown: int | None) -> Report:
    notes = make_notes(model)
    return make_report(model, models_shown, notes)


def _run_info(usage: ModelUsage, seconds: float) -> dict[str, object]:
    """The part of the JSON that differs between runs of the same model."""
    return {
        "peak_memory_bytes": usage.peak_bytes or None,
        "predict_seconds": usage.predict_seconds,
        "slowest_seconds": usage.slowest_seconds,
        "load_seconds": usage.load_seconds,
        "seconds": seconds,
        "repeatable": usage.repeatable,
        "python": usage.record.environment.python,
        "version": usage.record.environment.runner,
        "sandbox": dict(usage.record.sandbox),
        "acceleration": asdict(usage.record.acceleration),
    }


def _write(directory: Path, as_json: str, as_page: str) -> Path:
    page, numbers = directory / PAGE, directory / NUMBERS
    write_together({numbers: as_json, page: as_page})
    return page
