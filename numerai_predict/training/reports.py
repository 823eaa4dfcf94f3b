"""The files that describe a training: scores, predictions and the bundle's manifest."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd

from numerai_predict.contract.trained_eras import PICKLE
from numerai_predict.scoring.target_overlap import TargetOverlap
from numerai_predict.storage.files import atomic_write, sha256_of
from numerai_predict.training.blending.search_report import BlendSearch
from numerai_predict.training.blending.transform import NO_TRANSFORM, BlendTransform
from numerai_predict.training.bundle import git_commit, software_versions
from numerai_predict.training.bundle_verification import Verification
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.evaluation import Evaluation
from numerai_predict.training.holdout import HoldoutFacts, HoldoutScores
from numerai_predict.training.model_fitting import TrainedModel
from numerai_predict.training.trainers.interface import Trainer
from numerai_predict.training.training_data import TrainingData
from numerai_predict.training.validation_plan import ValidationPlan

SCORES, PREDICTIONS = "scores.json", "predictions.parquet"


@dataclass(frozen=True)
class TrainingReport:
    """What the manifest describes."""

    config: TrainingConfig
    data: TrainingData
    plan: ValidationPlan
    trainer: Trainer
    models: list[TrainedModel]
    scores: dict[str, Any]
    holdout: HoldoutFacts
    warnings: Sequence[str]
    overlaps: Sequence[TargetOverlap]
    blend: BlendTransform = NO_TRANSFORM


def write_scores(
    output: Path,
    windows: Sequence[Evaluation],
    holdout: HoldoutScores,
    search: BlendSearch | None = None,
) -> dict[str, Any]:
    """Write scores.json and predictions.parquet; returns the summary statistics of the scores.

    Those of the holdout are `None` unless it is revealed, and so is the search of a transform
    without one.

    Raises:
        OSError: a file cannot be written.
    """
    all_windows = replace(windows[0], scores=pd.concat([each.scores for each in windows]))
    shown = holdout.evaluation
    scores = {
        "windows": all_windows.summary(),
        "holdout": shown and shown.summary(),
        "holdout_best_of": shown and shown.best_of(holdout.facts.models_shown),
        "by_window": {each.window: each.summary() for each in windows},
        "blend_search": search and search.as_entry(),
    }
    per_era = {"windows": _per_era(all_windows), "holdout": shown and _per_era(shown)}
    with atomic_write(output / SCORES) as handle:
        handle.write((json.dumps({**scores, "per_era": per_era}, indent=2) + "\n").encode())
    evaluations = [*windows, *([shown] if shown else [])]
    predictions = [each.predictions.assign(window=each.window) for each in evaluations]
    file = io.BytesIO()
    pd.concat(predictions).to_parquet(file)
    with atomic_write(output / PREDICTIONS) as handle:
        handle.write(file.getvalue())
    return scores


def _per_era(evaluation: Evaluation) -> dict[str, Any]:
    rows = evaluation.scores.iterrows()
    return {str(era): json.loads(row.to_json(double_precision=15)) for era, row in rows}


def _data_entry(data: TrainingData, blend: BlendTransform) -> dict[str, Any]:
    """The manifest's entry `data`: what a run compares its data with."""
    facts = data.facts()
    names = list(dict.fromkeys([*data.features, *blend.features]))
    return {
        "directory": str(data.directory),
        "version": data.version,
        "server": data.server,
        **facts,
        "features": {**facts["features"], "names": names},
        "eras": len(data.eras),
    }


def make_manifest(
    report: TrainingReport,
    pickle: Path,
    python: str,
    verification: Verification,
) -> dict[str, Any]:
    """The content of the bundle's manifest.json."""
    trainer, data, plan = report.trainer.facts(), report.data, report.plan
    trained_eras = data.eras if report.config.use_holdout else plan.final.training
    return {
        "form": 1,
        "made": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "model": {
            "file": PICKLE,
            "sha256": sha256_of(pickle),
            "bytes": pickle.stat().st_size,
            "python": python,
            "arity": verification.record.model.arity,
        },
        "data": _data_entry(data, report.blend),
        "configuration": report.config.model_dump(mode="json"),
        "models": [
            {"target": m.target, "seed": m.seed, "rounds": m.rounds, "sha256": m.stored.sha256}
            for m in report.models
        ],
        "blend": report.blend.as_entry(),
        "device": trainer["device"],
        "scores": report.scores,
        "holdout": asdict(report.holdout),
        "overlaps": {each.target: each.as_entry() for each in report.overlaps},
        "warnings": list(report.warnings),
        "versions": software_versions(trainer["versions"]),
        "git_commit": git_commit(Path.cwd()),
        **plan.trained_on(trained_eras).as_entry(),
        "trial": verification.facts(),
    }
