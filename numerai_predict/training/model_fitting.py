"""Trains the models of a window, one per target and seed, or loads them from checkpoints."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.runner.run_log import log_step
from numerai_predict.training.checkpoints import Checkpoints, StoredResult
from numerai_predict.training.early_stopping import EarlyStopping, StoppingRule
from numerai_predict.training.progress import TrainingDisplay
from numerai_predict.training.trainers.interface import Trainer, TrainingRows
from numerai_predict.training.training_data import TrainingData
from numerai_predict.training.validation_plan import ValidationWindow, describe_eras


@dataclass(frozen=True)
class TrainedModel:
    """A trained model: target, seed and the content of its checkpoint."""

    target: str
    seed: int
    stored: StoredResult

    @property
    def rounds(self) -> int:
        """The number of boosting rounds."""
        return int(self.stored.result["rounds"])


class ModelFitter:
    """Trains models that have no checkpoint yet, and loads the others."""

    def __init__(
        self,
        data: TrainingData,
        trainer: Trainer,
        checkpoints: Checkpoints,
        display: TrainingDisplay,
    ) -> None:
        self._data, self._trainer = data, trainer
        self._checkpoints, self._display = checkpoints, display
        self._logged_changes: set[str] = set()

    def models(
        self, window: ValidationWindow, seeds: Sequence[int], rules: dict[str, StoppingRule]
    ) -> list[TrainedModel]:
        """The window's models, one per target and seed; `rules` has a stopping rule per target.

        Raises:
            BadConfiguration: the window has no rows with a target, or a model learned nothing.
            OSError: a checkpoint cannot be written.
        """
        return [
            model
            for target, rule in rules.items()
            for model in self._target_models(window, target, seeds, rule)
        ]

    def _target_models(
        self, window: ValidationWindow, target: str, seeds: Sequence[int], rule: StoppingRule
    ) -> list[TrainedModel]:
        """The models of one target; the rows are loaded once, and only if a model is missing."""
        models, rows = [], None
        for seed in seeds:
            label = f"{window.name} {target} seed {seed}"
            facts = self._facts(window, target, seed, rule)
            stored = self._checkpoints.get(label, facts)
            if stored is not None:
                self._display.skip(label)
            else:
                self._log_changes(label, facts)
                rows = rows or _LoadedRows.load(self._data, self._trainer, window, target)
                stored = self._train(label, facts, rows, seed, rule)
            models.append(TrainedModel(target, seed, stored))
        return models

    def _train(
        self, label: str, facts: dict[str, Any], rows: _LoadedRows, seed: int, rule: StoppingRule
    ) -> StoredResult:
        self._display.begin(label, rule.rounds)
        stopping = rows.stopping_rows
        observer = EarlyStopping(
            rule,
            None if stopping is None else stopping.target,
            None if stopping is None else stopping.history.eras[stopping.mask],
            self._display.update,
        )
        body = self._trainer.fit(rows.training, rows.stopping, seed, rule.rounds, observer)
        if not observer.has_learned:
            raise BadConfiguration(
                f"expected varying predictions from the model of {label}, found the same "
                "prediction for all rows",
                "allow fewer rows per leaf, or train on more data",
            )
        result = {"rounds": observer.best_rounds, "looks": observer.evaluations}
        stored = self._checkpoints.put(label, facts, result, body)
        self._display.end(f"{observer.best_rounds:,} rounds")
        return stored

    def _log_changes(self, label: str, facts: dict[str, Any]) -> None:
        """Log why an already trained model is trained again; each reason once."""
        for change in self._checkpoints.changes(label, facts):
            if change not in self._logged_changes:
                self._logged_changes.add(change)
                log_step("changed", f"{change}: training again")

    def _facts(
        self, window: ValidationWindow, target: str, seed: int, rule: StoppingRule
    ) -> dict[str, Any]:
        """Everything that determines the model: the key of its checkpoint."""
        trainer = self._trainer.facts()
        versions = {"numpy": np.__version__, "python": platform.python_version()}
        if window.stopping:
            versions["numerai-tools"] = importlib.metadata.version("numerai-tools")
        return {
            **self._data.facts(),
            **trainer,
            "trainer": self._trainer.name,
            "target": target,
            "seed": seed,
            "training eras": describe_eras(window.training),
            "stopping eras": describe_eras(window.stopping),
            "rounds": rule.rounds,
            "stopping": [rule.metric, rule.every, rule.stop_after] if window.stopping else None,
            "versions": {**trainer["versions"], **versions},
        }


@dataclass(frozen=True)
class _LoadedRows:
    """A window's rows of one target, in the trainer's data structures."""

    training: Any
    stopping: Any | None
    stopping_rows: TrainingRows | None

    @classmethod
    def load(
        cls, data: TrainingData, trainer: Trainer, window: ValidationWindow, target: str
    ) -> _LoadedRows:
        rows = data.rows(window.training, target)
        _require_rows(rows, window, target)
        shape = f"{len(rows.target):,} rows x {len(rows.features):,} features"
        log_step("load", f"{window.name}, {target}: {shape} of {len(window.training)} eras")
        training = trainer.load(rows)
        if not window.stopping:
            return cls(training, None, None)
        stopping = data.rows(window.stopping, target)
        _require_rows(stopping, window, target)
        return cls(training, trainer.load(stopping), stopping)


def _require_rows(rows: TrainingRows, window: ValidationWindow, target: str) -> None:
    if not len(rows.target):
        raise BadConfiguration(
            f"expected rows with {target} in each part of {window.name}, found none in one part",
            "leave the target out, or choose eras that have it: `data.eras`",
        )
