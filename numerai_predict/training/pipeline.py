"""A training, from its settings to the bundle."""

from __future__ import annotations

import io
import json
import statistics
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd

from numerai_predict.contract.trained_eras import PICKLE
from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.resources.cpu_quota import usable_cpus
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import atomic_write, sha256_of
from numerai_predict.training import bundle, bundle_verification
from numerai_predict.training.checkpoints import Checkpoints
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.early_stopping import StoppingRule
from numerai_predict.training.embargo import embargo_eras
from numerai_predict.training.evaluation import Evaluation, Evaluator
from numerai_predict.training.model_fitting import ModelFitter, TrainedModel
from numerai_predict.training.progress import TrainingDisplay
from numerai_predict.training.trainers.interface import Trainer
from numerai_predict.training.trainers.registry import make_trainer
from numerai_predict.training.training_data import TrainingData, open_training_data
from numerai_predict.training.walk_forward import (
    WalkForwardPlan,
    WalkForwardWindow,
    WindowSizes,
    plan_windows,
)

SCORES, PREDICTIONS = "scores.json", "predictions.parquet"


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to: the files, and the scores of its windows and of the holdout."""

    output: Path
    scores: dict[str, Any]


def train(settings: TrainingConfig, folder: Path) -> TrainingResult:
    """Train on the data in the folder, or go on with a training that was broken off.

    Raises:
        RunError: there is no bundle; what was finished is kept.
        OSError: something cannot be written.
    """
    place = bundle.bundle_directory(settings.python)
    checkpoints = Checkpoints(settings.output / "checkpoints")
    with checkpoints.locked():
        bundle.remove_leftovers(settings.output)
        inputs = open_training_data(settings, folder)
        windows = make_plan(settings, inputs)
        trainer, why = make_trainer(
            settings.trainer,
            settings.parameters,
            settings.device,
            settings.threads or usable_cpus(),
        )
        log_step("train", f"{settings.trainer} {why}")
        training = _ModelTraining(settings, inputs, windows, trainer, checkpoints)
        models, evaluations = training.models()
        scores = _write_scores(settings, evaluations)
        recipe = bundle.BundleSpec(
            trainer.name, inputs.features, models, inputs.benchmark, settings.neutralize
        )
        with bundle.build_bundle(recipe, place, settings.output) as pickle:
            found = bundle_verification.verify_bundle(pickle, recipe, place, inputs)
            manifest = _make_manifest(settings, inputs, trainer, models, scores, pickle)
            manifest["model"].update(python=place.python, arity=found.pop("arity"))
            eras = inputs.eras if settings.use_holdout else windows.final.training
            manifest |= {**windows.trained_on(eras).as_entry(), "trial": found}
            bundle.publish_bundle(pickle, settings.output, manifest)
    return TrainingResult(settings.output, scores)


def make_plan(settings: TrainingConfig, inputs: TrainingData) -> WalkForwardPlan:
    """The windows over the eras of the data.

    Raises:
        BadConfiguration: there are too few eras, or the purge is shorter than a target's horizon.
    """
    chosen = settings.validation
    needed = embargo_eras(settings.targets, settings.horizons)
    purge = needed if chosen.purge_eras is None else chosen.purge_eras
    if purge < needed:
        raise BadConfiguration(
            f"expected a purge of at least {needed} eras, as far as the targets look ahead, "
            f"found {purge}",
            "leave `validation.purge_eras` out",
        )
    sizes = WindowSizes(
        chosen.windows, chosen.window_eras, chosen.stopping_eras, chosen.holdout_eras, purge
    )
    windows = plan_windows(inputs.eras, sizes)
    for window in (*windows.windows, windows.final):
        spans = (window.training, window.stopping, window.scored)
        words = [f"{span[0]:04d} to {span[-1]:04d}" for span in spans if span]
        log_step("plan", f"{window.name}: eras {', then '.join(words)}, {purge} left out between")
    return windows


@dataclass(frozen=True)
class _ModelTraining:
    """What the models of all windows have in common."""

    settings: TrainingConfig
    inputs: TrainingData
    plan: WalkForwardPlan
    trainer: Trainer
    checkpoints: Checkpoints

    def models(self) -> tuple[list[TrainedModel], list[Evaluation]]:
        """The models to bundle, and the evaluations of the windows and, last, of the holdout."""
        settings, targets = self.settings, list(self.settings.targets)
        judge = Evaluator(self.inputs, self.trainer.name, settings.neutralize, self.checkpoints)
        parts = len(self.plan.windows) + 1 + settings.use_holdout
        count = parts * len(targets) * len(settings.seeds)
        fitting = ModelFitter(self.inputs, self.trainer, self.checkpoints, TrainingDisplay(count))
        rule = StoppingRule(
            settings.choose_by, settings.evaluate_every, settings.early_stopping, settings.rounds
        )
        evaluations, chosen = [], []
        for window in self.plan.windows:
            models = fitting.models(window, settings.seeds, dict.fromkeys(targets, rule))
            chosen += models
            evaluations.append(judge.evaluate(window, models))
        rules = {target: replace(rule, rounds=_median_rounds(chosen, target)) for target in targets}
        final = fitting.models(self.plan.final, settings.seeds, rules)
        evaluations.append(judge.evaluate(self.plan.final, final))
        if settings.use_holdout:
            whole = WalkForwardWindow("whole", tuple(self.inputs.eras), (), ())
            final = fitting.models(whole, settings.seeds, rules)
        return final, evaluations


def _median_rounds(models: list[TrainedModel], target: str) -> int:
    """The rounds of a final model: the median of those that the windows chose."""
    return max(1, statistics.median_low(m.rounds for m in models if m.target == target))


def _write_scores(settings: TrainingConfig, evaluations: list[Evaluation]) -> dict[str, Any]:
    """Write scores.json and predictions.parquet; the scores in a few numbers."""
    *windows, holdout = evaluations
    every = replace(windows[0], scores=pd.concat([each.scores for each in windows]))
    scores = {
        "windows": every.summary(),
        "holdout": holdout.summary(),
        "by_window": {each.window: each.summary() for each in windows},
    }
    per_era = {
        name: {era: json.loads(row.to_json(double_precision=15)) for era, row in table.iterrows()}
        for name, table in (("windows", every.scores), ("holdout", holdout.scores))
    }
    with atomic_write(settings.output / SCORES) as handle:
        handle.write((json.dumps({**scores, "per_era": per_era}, indent=2) + "\n").encode())
    parts = [each.predictions.assign(window=each.window) for each in evaluations]
    file = io.BytesIO()
    pd.concat(parts).to_parquet(file)
    with atomic_write(settings.output / PREDICTIONS) as handle:
        handle.write(file.getvalue())
    return scores


def _make_manifest(
    settings: TrainingConfig,
    inputs: TrainingData,
    trainer: Trainer,
    models: list[TrainedModel],
    scores: dict[str, Any],
    pickle: Path,
) -> dict[str, Any]:
    facts = trainer.facts()
    return {
        "form": 1,
        "made": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "model": {
            "file": PICKLE,
            "sha256": sha256_of(pickle),
            "bytes": pickle.stat().st_size,
        },
        "data": {"directory": str(inputs.folder), **inputs.facts(), "eras": len(inputs.eras)},
        "configuration": settings.model_dump(mode="json"),
        "models": [
            {"target": m.target, "seed": m.seed, "rounds": m.rounds, "sha256": m.stored.sha256}
            for m in models
        ],
        "device": facts["device"],
        "scores": scores,
        "versions": bundle.software_versions(facts["versions"]),
        "git_commit": bundle.git_commit(Path.cwd()),
    }
