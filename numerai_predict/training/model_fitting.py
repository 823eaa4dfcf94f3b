"""Models of a window: one a target and seed, each trained or taken from its checkpoint."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
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
from numerai_predict.training.walk_forward import WalkForwardWindow


@dataclass(frozen=True)
class TrainedModel:
    """A trained model: its target and seed, and what its checkpoint holds."""

    target: str
    seed: int
    stored: StoredResult

    @property
    def rounds(self) -> int:
        """The rounds that it has."""
        return int(self.stored.result["rounds"])


class ModelFitter:
    """Trains what is missing."""

    def __init__(
        self,
        inputs: TrainingData,
        trainer: Trainer,
        checkpoints: Checkpoints,
        display: TrainingDisplay,
    ) -> None:
        self._inputs, self._trainer = inputs, trainer
        self._checkpoints, self._display = checkpoints, display
        self._told: set[str] = set()

    def models(
        self, window: WalkForwardWindow, seeds: Sequence[int], rules: dict[str, StoppingRule]
    ) -> list[TrainedModel]:
        """The window's models, one a target and seed; each target has its rule."""
        return [
            model
            for target, rule in rules.items()
            for model in self._of_target(window, target, seeds, rule)
        ]

    def _of_target(
        self, window: WalkForwardWindow, target: str, seeds: Sequence[int], rule: StoppingRule
    ) -> list[TrainedModel]:
        """The data is loaded once, and only if a model is missing."""
        models, loaded = [], None
        for seed in seeds:
            label = f"{window.name} {target} seed {seed}"
            facts = self._facts(window, target, seed, rule)
            stored = self._checkpoints.get(label, facts)
            if stored is not None:
                self._display.skip(label)
            else:
                self._tell_changes(label, facts)
                loaded = loaded or _LoadedRows.of(self._inputs, self._trainer, window, target)
                stored = self._train(label, facts, loaded, seed, rule)
            models.append(TrainedModel(target, seed, stored))
        return models

    def _train(
        self, label: str, facts: dict[str, Any], loaded: _LoadedRows, seed: int, rule: StoppingRule
    ) -> StoredResult:
        self._display.begin(label, rule.rounds)
        stopping = loaded.stopping_rows
        watch = EarlyStopping(
            rule,
            None if stopping is None else stopping.target,
            None if stopping is None else stopping.history.eras[stopping.mask],
            self._display.update,
        )
        body = self._trainer.fit(loaded.training, loaded.stopping, seed, rule.rounds, watch)
        if not watch.learned:
            raise BadConfiguration(
                f"expected the model of {label} to tell rows apart, found one prediction for all",
                "ask for less rows in a leaf, or train on more",
            )
        told = {"rounds": watch.chosen, "looks": watch.looks}
        stored = self._checkpoints.put(label, facts, told, body)
        self._display.end(f"{watch.chosen:,} rounds")
        return stored

    def _tell_changes(self, label: str, facts: dict[str, Any]) -> None:
        """Say why a model is trained that was trained before; the same reason once."""
        for change in self._checkpoints.changes(label, facts):
            if change not in self._told:
                self._told.add(change)
                log_step("changed", f"{change}: trained anew")

    def _facts(
        self, window: WalkForwardWindow, target: str, seed: int, rule: StoppingRule
    ) -> dict[str, Any]:
        trainer = self._trainer.facts()
        versions = {"numpy": np.__version__, "python": platform.python_version()}
        if window.stopping:
            versions["numerai-tools"] = importlib.metadata.version("numerai-tools")
        return {
            **self._inputs.facts(),
            **trainer,
            "trainer": self._trainer.name,
            "target": target,
            "seed": seed,
            "training eras": describe_eras(window.training),
            "stopping eras": describe_eras(window.stopping),
            "rounds": rule.rounds,
            "stopping": [rule.metric, rule.every, rule.patience] if window.stopping else None,
            "versions": {**trainer["versions"], **versions},
        }


@dataclass(frozen=True)
class _LoadedRows:
    """A window's rows of one target, in the trainer's own form."""

    training: Any
    stopping: Any | None
    stopping_rows: TrainingRows | None

    @classmethod
    def of(
        cls, inputs: TrainingData, trainer: Trainer, window: WalkForwardWindow, target: str
    ) -> _LoadedRows:
        rows = inputs.rows(window.training, target)
        _require_rows(rows, window, target)
        shape = f"{len(rows.target):,} rows x {len(rows.features):,} features"
        log_step("load", f"{window.name}, {target}: {shape} of {len(window.training)} eras")
        training = trainer.load(rows)
        if not window.stopping:
            return cls(training, None, None)
        stopping = inputs.rows(window.stopping, target)
        _require_rows(stopping, window, target)
        return cls(training, trainer.load(stopping), stopping)


def _require_rows(rows: TrainingRows, window: WalkForwardWindow, target: str) -> None:
    if not len(rows.target):
        raise BadConfiguration(
            f"expected rows with {target} in each part of {window.name}, found none in one",
            "leave the target out, or choose eras that have it: `data.eras`",
        )


def describe_eras(eras: Sequence[int]) -> str:
    """Which eras, short and exact: the first, the last, how many, and a hash of all."""
    if not eras:
        return "none"
    digest = hashlib.sha256(json.dumps(list(eras)).encode()).hexdigest()[:8]
    return f"{eras[0]} to {eras[-1]} ({len(eras)}, {digest})"
