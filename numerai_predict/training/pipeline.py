"""A training from its configuration to the published bundle."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.resources.cpu_quota import usable_cpus
from numerai_predict.runner.container.target import ExecutionTarget
from numerai_predict.runner.run_log import log_step
from numerai_predict.scoring.target_overlap import TargetOverlap
from numerai_predict.storage.files import atomic_write
from numerai_predict.training import bundle
from numerai_predict.training.blend_inputs import check_blend_inputs
from numerai_predict.training.blend_search import ChosenBlend, choose_blend, first_transform
from numerai_predict.training.blending.search_report import BlendSearch
from numerai_predict.training.blending.transform import BlendTransform
from numerai_predict.training.bundle_verification import Trial, verify_bundle
from numerai_predict.training.checkpoints import Checkpoints
from numerai_predict.training.comparison import META_MODEL, absent_scores
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.data_checks import check_data
from numerai_predict.training.earlier_scores import describe_earlier_scores
from numerai_predict.training.early_stopping import StoppingRule
from numerai_predict.training.embargo import training_overlaps
from numerai_predict.training.estimate import TrainingEstimate, estimate_training
from numerai_predict.training.evaluation import Evaluator, ScoredWindow
from numerai_predict.training.holdout import (
    HoldoutFacts,
    HoldoutScores,
    hidden_holdout,
    revealed_holdout,
)
from numerai_predict.training.model_fitting import ModelFitter, TrainedModel
from numerai_predict.training.plan_making import make_plan
from numerai_predict.training.progress import TrainingDisplay
from numerai_predict.training.reports import TrainingReport, make_manifest, write_scores
from numerai_predict.training.trainers.interface import Trainer
from numerai_predict.training.trainers.registry import make_trainer
from numerai_predict.training.training_data import TrainingData, open_training_data
from numerai_predict.training.training_page import PAGE, render_training
from numerai_predict.training.validation_plan import ValidationPlan, whole_window


@dataclass(frozen=True)
class TrainingResult:
    """The output directory, the summary of scores, the holdout, and the trial on live data.

    `overlap` is that of the main target, which the intervals use. `absent` says which scores there
    are not, and why. `search` is that of the transform, if there was one.
    """

    output: Path
    scores: dict[str, Any]
    holdout: HoldoutFacts
    trial: Trial
    overlap: TargetOverlap
    absent: Sequence[str] = ()
    search: BlendSearch | None = None


def train(
    config: TrainingConfig, directory: Path, *, reveal_holdout: bool = False, force: bool = False
) -> TrainingResult:
    """Train on the data in a directory, or resume an interrupted training.

    The holdout is scored only to `reveal_holdout`, which is recorded as a look at it. `force`
    allows an embargo that is shorter than names and data say.

    Raises:
        RunError: there is no bundle; finished work is kept in checkpoints.
        OSError: a file cannot be written.
    """
    environment = bundle.bundle_environment(config.python)
    checkpoints = Checkpoints(config.output / "checkpoints")
    with checkpoints.locked():
        bundle.remove_leftovers(config.output)
        made = _prepare(config, directory, checkpoints, force=force)
        data, plan, trainer, overlaps = made.data, made.plan, made.trainer, made.overlaps
        training = _ModelTraining(config, data, plan, trainer, checkpoints, overlaps[0].eras)
        models = training.models()
        holdout = training.holdout(models.final, reveal_holdout, models.blend.transform)
        evaluations = [each.evaluation for each in models.windows]
        scores = write_scores(config.output, evaluations, holdout, models.blend.search)
        report = TrainingReport(
            config,
            data,
            plan,
            trainer,
            models.bundled,
            scores,
            holdout.facts,
            made.warnings,
            overlaps,
            models.blend.transform,
        )
        trial = _publish(report, environment, models, made.absent)
    facts, search = holdout.facts, models.blend.search
    return TrainingResult(config.output, scores, facts, trial, overlaps[0], made.absent, search)


def plan_training(
    config: TrainingConfig, directory: Path, *, force: bool = False
) -> TrainingEstimate:
    """What `train` would take; nothing is written, and no checkpoint is used.

    Raises:
        RunError: as `train`, for whatever the configuration and the data decide.
    """
    bundle.bundle_environment(config.python)
    with temporary_directory("numerai-plan-") as name:
        made = _prepare(config, directory, Checkpoints(Path(name)), force=force)
    return estimate_training(config, made.data, made.plan, made.trainer)


@dataclass(frozen=True)
class _Prepared:
    """What is known before the first model is trained."""

    data: TrainingData
    plan: ValidationPlan
    trainer: Trainer
    overlaps: Sequence[TargetOverlap]
    absent: Sequence[str]
    warnings: Sequence[str]


def _prepare(
    config: TrainingConfig, directory: Path, checkpoints: Checkpoints, *, force: bool
) -> _Prepared:
    """Open and check the data, plan the windows, and make the trainer."""
    data = open_training_data(config, directory)
    check_blend_inputs(config.blend, data.benchmark, directory / META_MODEL)
    absent = absent_scores(data)
    _log("data", absent)
    findings = check_data(data, checkpoints)
    overlaps = training_overlaps(config.targets, config.horizons, findings.overlaps)
    plan = make_plan(config, data, overlaps, force=force)
    warnings = [str(leak) for leak in findings.leaks]
    warnings += describe_earlier_scores(config.output, plan.final.scored)
    _log("warning", warnings)
    return _Prepared(data, plan, _make_trainer(config), overlaps, absent, warnings)


def _publish(
    report: TrainingReport,
    environment: ExecutionTarget,
    models: _TrainedModels,
    absent: Sequence[str],
) -> Trial:
    """Pack, verify and publish the bundle and its page; returns its trial on live data."""
    config, data = report.config, report.data
    spec = bundle.BundleSpec(
        report.trainer.name,
        data.features,
        report.models,
        data.benchmark,
        config.neutralize,
        config.max_exposure,
        report.blend,
    )
    with bundle.build_bundle(spec, environment, config.output) as pickle:
        verification = verify_bundle(pickle, spec, environment, data)
        page = render_training(
            report, models.windows, verification.trial, absent, models.blend.search
        )
        with atomic_write(config.output / PAGE) as handle:
            handle.write(page.encode())
        manifest = make_manifest(report, pickle, environment.python, verification)
        bundle.publish_bundle(pickle, config.output, manifest)
    return verification.trial


def _log(step: str, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        log_step(step, sentence)


def _make_trainer(config: TrainingConfig) -> Trainer:
    trainer, reason = make_trainer(
        config.trainer, config.parameters, config.device, config.threads or usable_cpus()
    )
    log_step("train", f"{config.trainer} {reason}")
    return trainer


@dataclass(frozen=True)
class _TrainedModels:
    """The models to bundle, those to score on the holdout, and the scored windows.

    The windows' scores are those of the predictions with the transform.
    """

    bundled: list[TrainedModel]
    final: list[TrainedModel]
    windows: list[ScoredWindow]
    blend: ChosenBlend


@dataclass(frozen=True)
class _ModelTraining:
    """Trains and evaluates the models of all windows.

    `overlap` is the number of neighbouring eras whose main targets share time.
    """

    config: TrainingConfig
    data: TrainingData
    plan: ValidationPlan
    trainer: Trainer
    checkpoints: Checkpoints
    overlap: int

    def models(self) -> _TrainedModels:
        """Train the models of all windows, and evaluate all but those of the final one."""
        config, targets = self.config, list(self.config.targets)
        display = TrainingDisplay(self._model_count())
        fitter = ModelFitter(self.data, self.trainer, self.checkpoints, display)
        rule = StoppingRule(
            config.choose_by, config.evaluate_every, config.early_stopping, config.rounds
        )
        windows = []
        for window in self.plan.windows:
            models = fitter.models(window, config.seeds, dict.fromkeys(targets, rule))
            evaluation = self._evaluator.evaluate(window, models)
            windows.append(ScoredWindow(window, models, evaluation))
        window_models = [model for each in windows for model in each.models]
        blend, windows = self._blended(windows)
        rules = {
            target: replace(rule, rounds=_median_rounds(window_models, target))
            for target in targets
        }
        final = bundled = fitter.models(self.plan.final, config.seeds, rules)
        if config.use_holdout:
            bundled = fitter.models(whole_window(self.data.eras), config.seeds, rules)
        return _TrainedModels(bundled, final, windows, blend)

    def _blended(self, windows: list[ScoredWindow]) -> tuple[ChosenBlend, list[ScoredWindow]]:
        """The transform, and the windows scored with it."""
        blend = choose_blend(self.config.blend, self._evaluator, windows)
        if blend.transform == self._evaluator.blend:  # they are scored with it already
            return blend, windows
        evaluator = replace(self._evaluator, blend=blend.transform)
        return blend, [
            replace(each, evaluation=evaluator.evaluate(each.window, each.models))
            for each in windows
        ]

    def holdout(
        self, models: list[TrainedModel], reveal: bool, blend: BlendTransform
    ) -> HoldoutScores:
        """The holdout, with the scores of these models if it is revealed."""
        eras = self.plan.final.scored
        if not reveal:
            return hidden_holdout(self.config, self.data, eras, models, blend)
        evaluator = replace(self._evaluator, blend=blend)
        evaluation = evaluator.evaluate(self.plan.final, models)
        return revealed_holdout(self.config, self.data, evaluation, eras, models, blend)

    @property
    def _evaluator(self) -> Evaluator:
        return Evaluator(
            self.data,
            self.trainer.name,
            self.config.neutralize,
            self.checkpoints,
            self.overlap,
            self.config.max_exposure,
            first_transform(self.config.blend, self.data.groups),
        )

    def _model_count(self) -> int:
        windows = len(self.plan.windows) + 1 + self.config.use_holdout
        return windows * len(self.config.targets) * len(self.config.seeds)


def _median_rounds(models: list[TrainedModel], target: str) -> int:
    """The rounds of a final model: the median of the windows' best rounds."""
    return max(1, statistics.median_low(m.rounds for m in models if m.target == target))
