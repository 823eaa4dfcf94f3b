"""The notes of a report: what limits the meaning of its numbers."""

from __future__ import annotations

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.trained_eras import TrainedEras
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.measured_model import MeasuredModel
from numerai_predict.diagnostics.metrics import EraMetrics
from numerai_predict.diagnostics.training_overlap import describe_overlap
from numerai_predict.runner.run_log import log_step


def make_notes(model: MeasuredModel) -> list[str]:
    """The notes, most important first; the last are the warnings of the run."""
    config, validation, metrics, usage = model.config, model.validation, model.metrics, model.usage
    notes = [
        _overlap_note(metrics, model.trained),
        "The model received each era separately, like a round: era X, targets unknown. One "
        "process made all calls of a batch of eras.",
    ]
    if not usage.repeatable:
        notes.append(
            "The model is not repeatable: when it predicted the first era again after others, the "
            "predictions differed. It keeps state between calls, or is random: the predictions of "
            "a round may differ as well."
        )
    if validation.eras_without_target:
        notes.append(f"{validation.eras_without_target} eras without a target were left out.")
    notes.append(f"Intervals of scores on {one_line(config.target)}: {model.overlap}.")
    notes += _missing_scores(config, metrics)
    return notes + list(usage.record.warnings)


def _overlap_note(metrics: EraMetrics, trained: TrainedEras | None) -> str:
    """Whether the model was trained on the eras; logged if the bundle's manifest says so."""
    note = describe_overlap(trained, list(metrics.rows))
    if trained is not None:
        log_step("eras", note)
    return note


def _missing_scores(config: DiagnosisConfig, metrics: EraMetrics) -> list[str]:
    counts = metrics.scores.notna().sum()
    files = {"mmc": config.files.meta_model, "bmc": config.files.benchmarks}
    contents = {"mmc": "a meta model (meta_model.parquet)", "bmc": "benchmark models"}
    notes = []
    for score, path in files.items():
        count = int(counts.get(score, 0))
        if path is None:
            notes.append(f"There is no {score.upper()}: no file of {contents[score]} was found.")
        elif count < len(metrics.rows):
            missing = len(metrics.rows) - count
            notes.append(f"{missing} eras have no {score.upper()}: {path.name} lacks these eras.")
    return notes
