"""Diagnose a model: predict past eras, compute metrics, write the page and its numbers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, SaveFailed
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.trained_eras import TrainedEras, scored_model
from numerai_predict.data.feature_sets import FeatureSets
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.era_predictions import EraPredictor
from numerai_predict.diagnostics.html_page import render_diagnosis
from numerai_predict.diagnostics.looks import count_look
from numerai_predict.diagnostics.metrics import EraMetrics
from numerai_predict.diagnostics.model_usage import ModelUsage
from numerai_predict.diagnostics.notes import make_notes
from numerai_predict.diagnostics.report import Report, Subject
from numerai_predict.diagnostics.report_from_metrics import make_report
from numerai_predict.diagnostics.report_json import report_as_json
from numerai_predict.diagnostics.training_overlap import kind_of, manifest_beside
from numerai_predict.diagnostics.validation_data import ValidationData
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.submission_file import require_directory
from numerai_predict.storage.files import part_beside

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
    validation = ValidationData(config.files.validation, config.target, config.eras)
    feature_sets = FeatureSets.read(config.files.features)
    predictor = EraPredictor(config, validation, deadline)
    benchmark = _choose_benchmark(config.benchmark, predictor.benchmark_names)
    neutralizers = _neutralizers(config, feature_sets, validation.feature_names)
    metrics = EraMetrics(validation.feature_names, benchmark, neutralizers)
    with closing(predictor.eras()) as eras:
        for era in eras:
            metrics.add(era)
            on_progress(len(metrics.rows), len(validation.eras))
            del era  # it holds the whole batch in memory
    usage = predictor.usage
    subject = _subject(config, validation, usage, benchmark)
    manifest = manifest_beside(config.model)
    trained = TrainedEras.from_manifest(manifest, subject.sha256)
    kinds = [kind_of(era, trained) for era in metrics.rows]
    clean = [era for era, kind in zip(metrics.rows, kinds, strict=True) if not kind.is_inflated]
    model = scored_model(manifest, subject.sha256)
    models_shown = count_look(config.files.validation, config.target, clean, model)
    notes = make_notes(config, validation, metrics, usage, trained)
    report = make_report(subject, metrics, feature_sets.sets, kinds, models_shown, notes)
    page = _write(config.output_dir, report, _run_info(usage, time.monotonic() - started))
    return Diagnosis(report, usage, page, page.with_name(NUMBERS))


def _choose_benchmark(requested: str | None, names: list[str]) -> str | None:
    """The benchmark model of BMC: the requested one, else the first; `None` without any."""
    if requested is None:
        return names[0] if names else None
    if requested not in names:
        raise DatasetUnavailable(
            f"expected a benchmark model, found {requested!r}; available: "
            f"{', '.join(names) or 'none'}",
            "choose one of them with --benchmark-model, or leave the option out to use the first",
        )
    return requested


def _neutralizers(
    config: DiagnosisConfig, feature_sets: FeatureSets, present: list[str]
) -> list[str]:
    """The features that FNC neutralizes to; none without FNC."""
    if config.neutral_to is None:
        return []
    names = feature_sets.choose(config.neutral_to)
    missing = sorted(set(names) - set(present))
    if missing:
        raise DatasetUnavailable(
            f"expected the features of the set {config.neutral_to} in {config.files.validation}, "
            f"found {len(missing)} missing, such as {', '.join(missing[:3])}",
            "use the features.json of this data version (--features-file), or --fnc-features none",
        )
    return names


def _subject(
    config: DiagnosisConfig, validation: ValidationData, usage: ModelUsage, benchmark: str | None
) -> Subject:
    model, files = usage.record.model, config.files
    path = urlsplit(config.model).path if "://" in config.model else config.model
    return Subject(
        model=one_line(redact(PurePosixPath(path).name)),
        sha256=model.sha256 or "",
        pythons=list(model.python),
        arguments=model.arity or 1,
        validation=files.validation.name,
        target=config.target,
        features=len(validation.feature_names),
        benchmark=None if benchmark is None else one_line(benchmark),
        meta_model=files.meta_model.name if files.meta_model else None,
        neutral_to=config.neutral_to,
    )


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
    """Write both files or none: both are complete before the first gets its final name."""
    page, numbers = directory / PAGE, directory / NUMBERS
    texts = {page: render_diagnosis(report), numbers: report_as_json(report, run)}
    try:
        with part_beside(page) as page_part, part_beside(numbers) as numbers_part:
            for part, text in zip((page_part, numbers_part), texts.values(), strict=True):
                with open(part, "wb") as handle:
                    handle.write(text.encode())
                    handle.flush()
                    os.fsync(handle.fileno())
            numbers_part.replace(numbers)
            page_part.replace(page)
    except OSError as error:
        raise SaveFailed(
            f"expected to write {PAGE} and {NUMBERS} to {directory}, found: {error.strerror}",
            "free disk space there, or choose another --output-dir",
        ) from error
    log_step("save", f"{page} and {numbers}")
    return page
