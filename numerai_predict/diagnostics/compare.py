"""Compare two models: measure both on the same eras, write the page and its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.diagnostics.comparison import ModelComparison, compare_models
from numerai_predict.diagnostics.comparison_report import comparison_as_json, render_comparison
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.measured_models import measure_models
from numerai_predict.diagnostics.report_files import write_together
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.validation.submission_file import require_directory

PAGE, NUMBERS = "compare.html", "compare.json"


@dataclass(frozen=True)
class ComparisonFiles:
    """A comparison; the paths of its HTML page and of its JSON."""

    comparison: ModelComparison
    page: Path
    numbers: Path


def compare(
    first: DiagnosisConfig,
    second: DiagnosisConfig,
    deadline: Deadline,
    on_progress: Callable[[int, int], None],
) -> ComparisonFiles:
    """Compare two models and write the page and its numbers: both files or none.

    See `compare_on_eras`.

    Raises:
        RunError: data are missing, a model cannot run or failed, or the files cannot be written.
    """
    require_directory(first.output_dir)
    comparison = compare_on_eras(first, second, deadline, on_progress)
    page, numbers = first.output_dir / PAGE, first.output_dir / NUMBERS
    write_together({numbers: comparison_as_json(comparison), page: render_comparison(comparison)})
    return ComparisonFiles(comparison, page, numbers)


def compare_on_eras(
    first: DiagnosisConfig,
    second: DiagnosisConfig,
    deadline: Deadline,
    on_progress: Callable[[int, int], None],
) -> ModelComparison:
    """Run two models over past eras, one after the other.

    The configurations differ in the model alone. Calls `on_progress(done, total)` after each era
    of both.

    Raises:
        RunError: data are missing, or a model cannot run or failed.
    """
    both = measure_models((first, second), deadline, on_progress)
    shown = [each.model.count_look() for each in both]
    if shown[1] is not None and shown[1] > len(both):
        log_step("looks", f"{shown[1]} models were scored on some of these eras so far")
    return compare_models(*both)
