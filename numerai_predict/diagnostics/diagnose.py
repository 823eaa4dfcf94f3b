"""A diagnosis from its plan to its files."""

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
from numerai_predict.contract.redaction import printable, redact
from numerai_predict.data.feature_sets import FeatureSets
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.era_predictions import Predictor, Usage
from numerai_predict.diagnostics.html_page import render
from numerai_predict.diagnostics.metrics import EraMetrics
from numerai_predict.diagnostics.report import Report, Subject, make_report
from numerai_predict.diagnostics.training_overlap import describe_overlap, read_trained_eras
from numerai_predict.diagnostics.validation_data import ValidationData
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.submission_file import require_directory
from numerai_predict.storage.files import part_beside

PAGE, NUMBERS = "diagnose.html", "diagnose.json"


@dataclass(frozen=True)
class Diagnosis:
    """What came of it, and where it lies."""

    report: Report
    usage: Usage
    page: Path


def diagnose(
    plan: DiagnosisConfig, deadline: Deadline, tell: Callable[[int, int], None]
) -> Diagnosis:
    """Run the model over past eras and write the page and its numbers; all or nothing.

    `tell` is told how many eras are done, and how many there are.

    Raises:
        RunError: data are missing, the model cannot be run or failed, or nothing can be written.
    """
    started = time.monotonic()
    require_directory(plan.output_dir)
    validation = ValidationData(plan.sources.validation, plan.target, plan.eras)
    sets = FeatureSets.read(plan.sources.features)
    predictor = Predictor(plan, validation, deadline)
    benchmark = _choose_benchmark(plan.benchmark, predictor.benchmark_names)
    neutral_to = _neutralizers(plan, sets, validation.feature_names)
    measures = EraMetrics(validation.feature_names, benchmark, neutral_to)
    with closing(predictor.eras()) as eras:
        for era in eras:
            measures.add(era)
            tell(len(measures.rows), len(validation.eras))
            del era  # which holds its whole batch
    usage = predictor.usage
    subject = _subject(plan, validation, usage, benchmark)
    notes = _notes(plan, validation, measures, usage)
    report = make_report(subject, measures, sets.sets, notes)
    page = _write(plan.output_dir, report, _run_info(usage, time.monotonic() - started))
    return Diagnosis(report, usage, page)


def _choose_benchmark(wanted: str | None, names: list[str]) -> str | None:
    """The benchmark model of BMC: the one that is wanted, else the first."""
    if wanted is None:
        return names[0] if names else None
    if wanted not in names:
        raise DatasetUnavailable(
            f"expected a benchmark model, found {wanted!r}; there are {', '.join(names) or 'none'}",
            "choose one of them with --benchmark, or leave the option out for the first",
        )
    return wanted


def _neutralizers(plan: DiagnosisConfig, sets: FeatureSets, present: list[str]) -> list[str]:
    if plan.neutral_to is None:
        return []
    names = sets.choose(plan.neutral_to)
    missing = sorted(set(names) - set(present))
    if missing:
        raise DatasetUnavailable(
            f"expected the features of the set {plan.neutral_to} in {plan.sources.validation}, "
            f"found {len(missing)} missing, such as {', '.join(missing[:3])}",
            "use the features.json of this version of the data (--features), or --fnc none",
        )
    return names


def _subject(
    plan: DiagnosisConfig, validation: ValidationData, usage: Usage, benchmark: str | None
) -> Subject:
    model, sources = usage.record.model, plan.sources
    name = PurePosixPath(urlsplit(plan.model).path if "://" in plan.model else plan.model).name
    return Subject(
        model=printable(redact(name)),
        sha256=model.sha256 or "",
        pythons=list(model.python),
        arguments=model.arity or 1,
        validation=sources.validation.name,
        target=plan.target,
        features=len(validation.feature_names),
        benchmark=benchmark,
        meta_model=sources.meta_model.name if sources.meta_model else None,
        neutral_to=plan.neutral_to,
    )


def _notes(
    plan: DiagnosisConfig, validation: ValidationData, measures: EraMetrics, usage: Usage
) -> list[str]:
    """What who reads the page must know of it."""
    notes = [
        _overlap_note(plan, measures, usage),
        "The model saw each era by itself, as it sees a round: era X, targets unknown. Within a "
        "batch of eras one process made all calls.",
    ]
    if not usage.repeatable:
        notes.append(
            "The model is not repeatable: the first era, predicted again after others, came out "
            "differently. It remembers what it saw before, or throws dice: a round may differ too."
        )
    if validation.eras_without_target:
        notes.append(f"{validation.eras_without_target} eras without a target were left out.")
    notes += _missing_scores(plan, measures)
    return notes + list(usage.record.warnings)


def _overlap_note(plan: DiagnosisConfig, measures: EraMetrics, usage: Usage) -> str:
    """Whether the eras' scores can be believed; where that is known it is in the log, too."""
    known = read_trained_eras(plan.model, usage.record.model.sha256 or "")
    words = describe_overlap(known, list(measures.rows))
    if known is not None:
        log_step("eras", words)
    return words


def _missing_scores(plan: DiagnosisConfig, measures: EraMetrics) -> list[str]:
    known = measures.scores.notna().sum()
    files = {"mmc": plan.sources.meta_model, "bmc": plan.sources.benchmarks}
    what = {"mmc": "a meta model (meta_model.parquet)", "bmc": "benchmark models"}
    notes = []
    for score, path in files.items():
        count = int(known.get(score, 0))
        if path is None:
            notes.append(f"There is no {score.upper()}: no file of {what[score]} was found.")
        elif count < len(measures.rows):
            missing = len(measures.rows) - count
            notes.append(f"{missing} eras have no {score.upper()}: {path.name} does not know them.")
    return notes


def _run_info(usage: Usage, seconds: float) -> dict[str, object]:
    return {
        "peak_memory_bytes": usage.peak_bytes or None,
        "slowest_seconds": usage.slowest_seconds,
        "load_seconds": usage.load_seconds,
        "seconds": seconds,
        "repeatable": usage.repeatable,
        "python": usage.record.environment.python,
        "version": usage.record.environment.runner,
        "sandbox": usage.record.sandbox,
    }


def _write(directory: Path, report: Report, run: dict[str, object]) -> Path:
    """Both files, or none: they are whole before the first gets its name."""
    page, numbers = directory / PAGE, directory / NUMBERS
    texts = {page: render(report), numbers: report.as_json(run)}
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
            "free some space there, or choose another --output_dir",
        ) from error
    log_step("save", f"{page} and {numbers}")
    return page
