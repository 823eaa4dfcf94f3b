"""Measures a model: predicts past eras and computes the metrics of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.trained_eras import TrainedEras, scored_model
from numerai_predict.data.feature_sets import FeatureSets
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.era_predictions import EraPredictor, PredictedEra
from numerai_predict.diagnostics.looks import count_look
from numerai_predict.diagnostics.metrics import EraMetrics
from numerai_predict.diagnostics.model_usage import ModelUsage
from numerai_predict.diagnostics.report import Subject
from numerai_predict.diagnostics.training_overlap import EraKind, kind_of, manifest_beside
from numerai_predict.diagnostics.validation_data import ValidationData
from numerai_predict.scoring.target_overlap import TargetOverlap, decide_overlap


@dataclass(frozen=True)
class MeasuredModel:
    """The metrics of a model over past eras, and what is known of its training.

    `kinds` has the kind of each era, in the order of the metrics' rows. `overlap` is that of the
    target. `equal_eras` are those whose predictions are all equal.
    """

    config: DiagnosisConfig
    subject: Subject
    validation: ValidationData
    feature_sets: FeatureSets
    metrics: EraMetrics
    usage: ModelUsage
    manifest: Any
    trained: TrainedEras | None
    kinds: Sequence[EraKind]
    overlap: TargetOverlap
    equal_eras: Sequence[str] = ()

    def count_look(self) -> int | None:
        """Record that the scores of its clean eras are shown; the number of models so far."""
        eras = zip(self.metrics.marks.items(), self.kinds, strict=True)
        clean = {era: mark for (era, mark), kind in eras if not kind.is_inflated}
        model = scored_model(self.manifest, self.subject.sha256)
        return count_look(self.config.files.validation, self.config.target, clean, model)


def measure_model(
    config: DiagnosisConfig,
    deadline: Deadline,
    on_progress: Callable[[int, int], None],
    on_era: Callable[[PredictedEra], None] = lambda _: None,
) -> MeasuredModel:
    """Run the model over past eras.

    Calls `on_era(era)` and `on_progress(done, total)` after each era.

    Raises:
        RunError: data are missing, or the model cannot run or failed.
    """
    validation = ValidationData(config.files.validation, config.target, config.eras)
    feature_sets = FeatureSets.read(config.files.features)
    predictor = EraPredictor(config, validation, deadline)
    benchmark = _choose_benchmark(config.benchmark, predictor.benchmark_names)
    neutralizers = _neutralizers(config, feature_sets, validation.feature_names)
    metrics = EraMetrics(validation.feature_names, benchmark, neutralizers)
    with closing(predictor.eras()) as eras:
        for era in eras:
            metrics.add(era)
            on_era(era)
            on_progress(len(metrics.rows), len(validation.eras))
            del era  # it holds the whole batch in memory
    return _measured(config, validation, feature_sets, metrics, predictor, benchmark)


def _measured(
    config: DiagnosisConfig,
    validation: ValidationData,
    feature_sets: FeatureSets,
    metrics: EraMetrics,
    predictor: EraPredictor,
    benchmark: str | None,
) -> MeasuredModel:
    """The model whose eras were all predicted."""
    usage = predictor.usage
    subject = _subject(config, validation, usage, benchmark)
    manifest = manifest_beside(config.model)
    overlap = decide_overlap(config.target, metrics.overlap_estimate)
    trained = TrainedEras.from_manifest(manifest, subject.sha256)
    trained = trained and trained.clear_of(overlap.eras)
    kinds = [kind_of(era, trained) for era in metrics.rows]
    return MeasuredModel(
        config,
        subject,
        validation,
        feature_sets,
        metrics,
        usage,
        manifest,
        trained,
        kinds,
        overlap,
        predictor.equal_eras,
    )


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
        model=config.name or one_line(redact(PurePosixPath(path).name)),
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
